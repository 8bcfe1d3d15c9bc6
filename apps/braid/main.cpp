// Braid, Apache-2.0.
#include <iostream>

#include "apps/braid/commands.hpp"

int main(int count, char** words) {
  return braid::run(count, words, std::cout, std::cerr);
}

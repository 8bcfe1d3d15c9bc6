// Braid, Apache-2.0.
//
// The simulated disk lives with the interface that it implements, in persistence/testing/, because the journal's fuzz
// targets are built without this room; the simulated world finds it here.
#pragma once

#include "persistence/testing/sim_disk.hpp"

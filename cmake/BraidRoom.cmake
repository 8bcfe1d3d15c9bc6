# braid_room(name [DEPENDS room...] [LIBRARIES lib...])
#
# One library target per room. A room's headers are reached as "room/file.hpp" through an include directory that holds
# only that room, so a source that includes a room which its own room does not depend on does not compile.
function(braid_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LIBRARIES" ${ARGN})
  set(gate ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${gate})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${gate}/${name} SYMBOLIC)

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(braid_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(braid_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(braid_${name} ${scope} ${gate})
  list(TRANSFORM ROOM_DEPENDS PREPEND braid_)
  target_link_libraries(braid_${name} ${scope} ${ROOM_DEPENDS} ${ROOM_LIBRARIES})
endfunction()

# braid_use_standard_headers(name)
#
# What nearly every source of a pure room includes anyway, compiled once per room.
function(braid_use_standard_headers name)
  target_precompile_headers(braid_${name} PRIVATE <algorithm> <array> <functional> <memory> <optional> <string>
    <string_view> <type_traits> <variant> <vector>)
endfunction()

# braid_use_caf_headers(name)
#
# CAF's headers cost more than most sources that include them. They are compiled once, by runtime/, and a room of actors
# takes them from there. The room must link what runtime/ links publicly, so that both see the same macros.
function(braid_use_caf_headers name)
  get_target_property(type braid_${name} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    target_precompile_headers(braid_${name} REUSE_FROM braid_caf_headers)
  endif()
endfunction()

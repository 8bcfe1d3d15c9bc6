# braid_batches(variable name root sources...)
#
# Most of a build goes into headers that the sources of a folder have in common, so up to eight of them are compiled as
# one. A name in an anonymous namespace is therefore one of its whole room. The batches name their sources from `root`, an
# include directory: the same text in every clone, for the compiler's cache.
function(braid_batches variable name root)
  set(batches ${ARGN})
  if(BRAID_BATCHES)
    set(batches)
    set(folders ${ARGN})
    list(TRANSFORM folders REPLACE "/[^/]*$" "")
    list(REMOVE_DUPLICATES folders)
    foreach(folder ${folders})
      set(sources ${ARGN})
      list(FILTER sources INCLUDE REGEX "^${folder}/[^/]*$")
      file(RELATIVE_PATH short ${root} ${folder})
      string(REPLACE "/" "_" short ${short})
      set(number 0)
      while(sources)
        set(content "// The sources of a folder, compiled as one.\n")
        foreach(i RANGE 1 8)
          list(POP_FRONT sources source)
          if(source)
            file(RELATIVE_PATH source ${root} ${source})
            string(APPEND content "#include \"${source}\"  // NOLINT\n")
          endif()
        endforeach()
        math(EXPR number "${number} + 1")
        set(batch ${CMAKE_CURRENT_BINARY_DIR}/batches/${name}/${short}_${number}.cpp)
        file(CONFIGURE OUTPUT ${batch} CONTENT "${content}" @ONLY)
        list(APPEND batches ${batch})
      endwhile()
    endforeach()
  endif()
  set(${variable} ${batches} PARENT_SCOPE)
endfunction()

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
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")  # the room's program
  if(sources)
    braid_batches(batches ${name} ${CMAKE_SOURCE_DIR} ${sources})
    add_library(braid_${name} STATIC ${batches})
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

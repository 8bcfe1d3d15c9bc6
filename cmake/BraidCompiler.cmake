# Language level, warnings, sanitizers, compiler cache and linker: the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Assertions stay on in release builds, so no NDEBUG; line tables make a crash report readable.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
if(NOT BRAID_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")  # the sanitizers' presets bring their own: they are too slow without optimization
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror=return-type)
option(BRAID_BATCHES "Compile the sources of a folder together" ON)
if(BRAID_BATCHES AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-subobject-linkage)  # to the compiler the sources of a batch are headers
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside libstdc++ and CAF when it inlines; its own bug list has them as false.
  add_compile_options(-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict -Wno-dangling-pointer)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options(-Wno-overloaded-virtual)  # CAF's base classes have virtual functions of common names (enqueue)
endif()
option(BRAID_WERROR "Warnings are errors" OFF)
if(BRAID_WERROR)
  add_compile_options(-Werror)
endif()

set(BRAID_SANITIZE "" CACHE STRING "address,undefined or thread")
if(BRAID_SANITIZE)
  add_compile_options(-fsanitize=${BRAID_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BRAID_SANITIZE})
endif()

# With BRAID_FUZZ only the pure rooms and the fuzz targets are built, by clang, under libFuzzer.
option(BRAID_FUZZ "Build the fuzz targets only" OFF)
if(BRAID_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(BRAID_CCACHE ccache)
if(BRAID_CCACHE)
  # Precompiled headers are cached only when their time stamps are not looked at.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${BRAID_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

find_program(BRAID_MOLD mold)
if(BRAID_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

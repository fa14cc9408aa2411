set(LEAT_SANITIZE "" CACHE STRING "Comma list for -fsanitize=, for example address,undefined")

add_library(leat_flags INTERFACE)
target_compile_features(leat_flags INTERFACE cxx_std_23)
target_compile_options(leat_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wswitch-enum)
target_compile_definitions(leat_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(LEAT_SANITIZE)
  target_compile_options(leat_flags INTERFACE -fsanitize=${LEAT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(leat_flags INTERFACE -fsanitize=${LEAT_SANITIZE})
endif()
find_package(Threads REQUIRED)

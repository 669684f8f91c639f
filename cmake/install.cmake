# What a user of the library gets: one library made of all floors, the headers, and the files by
# which CMake and pkg-config find them.
#
#   kappa::kappa    the whole library (static, or shared with -DBUILD_SHARED_LIBS=ON)
#   kappa::headers  kappa/jet.h and kappa/elements.h alone: headers and Eigen, nothing to link
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(kappa_headers INTERFACE)
add_library(kappa::headers ALIAS kappa_headers)
set_target_properties(kappa_headers PROPERTIES EXPORT_NAME headers)
target_compile_features(kappa_headers INTERFACE cxx_std_20)
target_include_directories(kappa_headers INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(kappa_headers INTERFACE Eigen3::Eigen Threads::Threads)

# The floors' objects once more as one archive: they are taken by name, not built again.
set(KAPPA_FLOORS base program data primitives transform runtime frontend function curvature
    minimize report)
set(kappa_objects)
foreach(floor ${KAPPA_FLOORS})
  list(APPEND kappa_objects $<TARGET_OBJECTS:kappa_${floor}>)
endforeach()
# `kappa` is the command's name already.
add_library(kappa_library ${kappa_objects})
add_library(kappa::kappa ALIAS kappa_library)
set_target_properties(kappa_library PROPERTIES OUTPUT_NAME kappa EXPORT_NAME kappa LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
                      SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_link_libraries(kappa_library PUBLIC kappa_headers)
# Imported targets of this build do not exist in the user's; a static library passes on files.
set(kappa_private_targets fmt::fmt ZLIB::ZLIB DNNL::dnnl ONNX::proto PkgConfig::HWY
    PkgConfig::HWY_CONTRIB ${CMAKE_DL_LIBS})
foreach(target ${kappa_private_targets})
  target_link_libraries(kappa_library PRIVATE $<BUILD_INTERFACE:${target}>)
endforeach()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/kappa)
install(TARGETS kappa_library kappa_headers EXPORT kappaTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/kappa DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT library)
install(EXPORT kappaTargets NAMESPACE kappa:: DESTINATION ${package_folder} COMPONENT library)
if(TARGET kappa_cli)
  install(TARGETS kappa_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tool)
endif()

get_target_property(kappa_type kappa_library TYPE)
set(KAPPA_IS_STATIC FALSE)
if(kappa_type STREQUAL STATIC_LIBRARY)
  set(KAPPA_IS_STATIC TRUE)
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/kappaConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/kappaConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kappaConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
# Relative, so that the installed tree may be moved.
file(RELATIVE_PATH KAPPA_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(KAPPA_PC_LIBS "-L\${libdir} -lkappa")
set(KAPPA_PC_PRIVATE "-ldnnl -lfmt -lonnx_proto -lprotobuf -lhwy_contrib -lhwy -lz -ldl -pthread")
if(KAPPA_IS_STATIC)
  string(APPEND KAPPA_PC_LIBS " ${KAPPA_PC_PRIVATE}")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/kappa.pc.in ${PROJECT_BINARY_DIR}/kappa.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/kappaConfig.cmake ${PROJECT_BINARY_DIR}/kappaConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/kappa.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT library)

if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGE_NAME kappa)
  set(CPACK_PACKAGE_CONTACT "Kappa developers <kappa@localhost>")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Gradients, Hessians, their eigenvalues, and minimisers")
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4)")
  # Loaded at run time where it is there (docs/decisions/0002-matrix-products.md).
  set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libopenblas0-pthread | libopenblas0")
  if(KAPPA_IS_STATIC)  # who links the archive needs these files
    string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS
           ", libfmt-dev, zlib1g-dev, libdnnl-dev, libhwy-dev, libonnx-dev, libprotobuf-dev")
  endif()
  include(CPack)
endif()

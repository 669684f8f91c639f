# make            builds build/release/bin/kappa, with the report page where npm is there
# make demo       installs what is missing, builds, and runs the main job on real data: two pages
# make test       builds everything and runs the tests (under 15 minutes on 2 cores, cold)
# make test-all   those, the long ones (memory, fuzzing) and the sanitizers
# make bench      Kappa beside its peers, as ratios of one run
# make docs       the reference of the public headers: build/reference/html/index.html
# make format     clang-format over the tree
# make clean      removes build/

JOBS ?= $(shell nproc)
BUILD := build/release

.PHONY: all build configure demo test test-all sanitize bench docs format clean dependencies \
        test-dependencies develop-dependencies demo-dependencies page

all: build

dependencies:
	@scripts/install_dependencies.sh build

test-dependencies:
	@scripts/install_dependencies.sh build test

develop-dependencies:
	@scripts/install_dependencies.sh build test web develop

demo-dependencies:
	@scripts/install_dependencies.sh build web

page:
	@scripts/build_page.sh

configure: $(BUILD)/build.ninja

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json | dependencies
	@cmake --preset release

build: dependencies page configure
	@cmake --build $(BUILD) -j $(JOBS) --target kappa_cli

demo: demo-dependencies build
	@scripts/demo.sh $(BUILD)/bin/kappa

test: test-dependencies page configure
	@cmake --build $(BUILD) -j $(JOBS)
	@ctest --test-dir $(BUILD) -j $(JOBS) -LE long --output-on-failure

test-all: develop-dependencies test sanitize
	@ctest --test-dir $(BUILD) -L long --output-on-failure

sanitize: develop-dependencies
	@for preset in asan-ubsan tsan; do \
	  cmake --preset $$preset && cmake --build build/$$preset -j $(JOBS) && \
	  ctest --test-dir build/$$preset -j $(JOBS) -LE long --output-on-failure || exit 1; \
	done

bench: build
	@cmake --build $(BUILD) -j $(JOBS) --target benchmarks
	@scripts/bench.sh $(BUILD)

docs: develop-dependencies
	@mkdir -p build/reference
	@KAPPA_VERSION=$$(sed -n 's/^project(kappa VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt) \
	  KAPPA_REFERENCE=build/reference doxygen docs/Doxyfile
	@echo build/reference/html/index.html

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format-14 -i

clean:
	rm -rf build

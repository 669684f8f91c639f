# make            builds build/release/bin/kappa
# make demo       installs what is missing, builds, and runs the main job on real data
# make test       builds everything and runs the tests (under 15 minutes on 2 cores, cold)
# make test-all   those and the long ones (fuzzing, sanitizers)
# make bench      Kappa beside its peers, ratios in one run
# make format     clang-format over the tree

JOBS ?= $(shell nproc)
BUILD := build/release

.PHONY: all build configure demo test test-all bench format clean dependencies test-dependencies

all: build

dependencies:
	@scripts/install_dependencies.sh build

test-dependencies:
	@scripts/install_dependencies.sh test

configure: $(BUILD)/build.ninja

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json | dependencies
	cmake --preset release

build: dependencies configure
	@cmake --build $(BUILD) -j $(JOBS) --target kappa_cli

demo: build
	@scripts/demo.sh $(BUILD)/bin/kappa

test: test-dependencies dependencies configure
	@cmake --build $(BUILD) -j $(JOBS)
	@python3 tools/check_floors.py
	@ctest --test-dir $(BUILD) -j $(JOBS) -LE long --output-on-failure

test-all: test
	@ctest --test-dir $(BUILD) -j $(JOBS) -L long --output-on-failure

bench: build
	@cmake --build $(BUILD) -j $(JOBS) --target benchmarks
	@scripts/bench.sh $(BUILD)

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

clean:
	rm -rf build

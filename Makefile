#===- Makefile - the front door ---------------------------------------------===#
#
# `make demo` and `make check` work from a bare clone on Debian 12: they install
# packages (asking for root through sudo), make a virtual environment, configure
# and build. Everything can also be done by calling cmake and ninja directly.
#
#===--------------------------------------------------------------------------===#
BUILD ?= build
VENV := .venv
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
CMAKE_ARGS ?=
# Set to 1 where the system packages are there already and root is not.
SKIP_SYSTEM ?= 0

CTEST := ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)
SETUP_INPUTS := scripts/setup-system.sh scripts/packages.txt scripts/setup-venv.sh \
                tools/requirements.txt scripts/fetch-onnx.sh tools/requirements-onnx.txt \
                scripts/fetch-models.sh scripts/demo_unpack.py tools/requirements-demo.txt

.PHONY: all setup configure build check check-all demo format tidy install clean help
.DEFAULT_GOAL := build

help: ## what the targets do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(BUILD)/setup.stamp ## install packages and tools, fetch the ONNX sources and the demo's models (idempotent)

$(BUILD)/setup.stamp: $(SETUP_INPUTS)
	@test "$(SKIP_SYSTEM)" = 1 || scripts/setup-system.sh
	@scripts/setup-venv.sh $(VENV)
	@scripts/fetch-onnx.sh $(VENV)
	@scripts/fetch-models.sh $(BUILD)/models $(VENV)
	@mkdir -p $(BUILD) && touch $@

configure: $(BUILD)/build.ninja ## run cmake

$(BUILD)/build.ninja: $(BUILD)/setup.stamp
	cmake -S . -B $(BUILD) -G Ninja $(CMAKE_ARGS)
	@touch $@

all: build
build: configure ## compile everything
	cmake --build $(BUILD) -j $(JOBS)

check: build ## build, then run the tests
	$(CTEST) -LE slow

check-all: build ## as check, with the slow tests too
	$(CTEST)

demo: build ## compile real models, run them on real input, compare with ONNX Runtime
	@scripts/demo.sh $(BUILD) $(VENV)

format: setup ## rewrite our C++ files in the project's style
	@scripts/check-format.sh --fix

tidy: build ## run clang-tidy over our C++ files
	@scripts/tidy.sh $(BUILD) $(JOBS)

install: build ## install under PREFIX
	cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## delete what was built; setup stays
	@test ! -f $(BUILD)/build.ninja || cmake --build $(BUILD) --target clean

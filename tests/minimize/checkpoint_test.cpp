// A run that is stopped, interrupted or killed and then resumed ends with the bits of one that was
// not; no damaged file is taken for a good one.

#include "minimize/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "kappa/error.h"
#include "kappa/minimize.h"
#include "minimize/problems.h"

namespace kappa {
namespace {

using test::Vector;
namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "kappa-checkpoint-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<char> payload(std::size_t size) {
  std::vector<char> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + 7);
  return bytes;
}

TEST(Checkpoint, ReadsBackWhatWasWritten) {
  const Folder folder;
  EXPECT_FALSE(read_checkpoint(folder.path()));
  for (const std::size_t size : {0, 1, 7, 8, 1000}) {
    write_checkpoint(folder.path(), payload(size));
    EXPECT_EQ(read_checkpoint(folder.path()), payload(size));
  }
}

TEST(Checkpoint, EveryTruncationAndEveryFlippedByteIsNoticed) {
  const Folder folder;
  write_checkpoint(folder.path(), payload(100));
  const std::string file = folder.path() + "/checkpoint.kappa";
  std::vector<char> whole(fs::file_size(file));
  std::ifstream(file, std::ios::binary).read(whole.data(), static_cast<long>(whole.size()));
  const auto write = [&](const std::vector<char>& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<long>(bytes.size()));
  };
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write({whole.begin(), whole.begin() + static_cast<long>(size)});
    EXPECT_THROW(read_checkpoint(folder.path()), Error) << size;
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto bad = whole;
    bad[i] ^= 0x10;
    write(bad);
    EXPECT_THROW(read_checkpoint(folder.path()), Error) << i;
  }
}

bool same_bits(const Vector& a, const Vector& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

/// A run of every method, small enough to be repeated often and long enough to be cut.
MinimizeOptions cut_options(const MethodInfo& info) {
  MinimizeOptions options{.method = info.name, .max_iterations = 60, .minibatch = 16, .seed = 5};
  if (info.stochastic) options.max_iterations = 200;
  for (const OptionInfo& option : info.options) {  // so that there is a velocity to forget
    if (option.name == "momentum") options.method_options = {{"momentum", "0.9"}};
  }
  return options;
}

// Stopped by a limit of iterations, resumed with a longer one, twice: for every method there is.
TEST(Checkpoint, EveryMethodResumesToTheSameBits) {
  const test::LogisticRegression logistic(100, 6, 1e-2);
  const test::ResidualProblem rosenbrock = test::rosenbrock();
  std::mt19937 random(3);
  for (const MethodInfo& info : minimize_methods()) {
    const Problem& problem =
        info.needs_residuals ? static_cast<const Problem&>(rosenbrock) : logistic;
    const Vector start = info.needs_residuals ? Vector{-1.2, 1} : Vector(6, 0.5);
    MinimizeOptions options = cut_options(info);
    if (info.needs_residuals) options.minibatch = 0;
    const MinimizeResult whole = minimize(problem, start, options);
    for (int repeat = 0; repeat < 3; ++repeat) {
      const Folder folder;
      MinimizeOptions cut = options;
      cut.checkpoint_directory = folder.path();
      cut.resume = true;
      std::vector<std::int64_t> cuts(2);
      for (auto& c : cuts) {
        c = std::uniform_int_distribution<std::int64_t>(
            1, std::max<std::int64_t>(whole.num_iterations, 2))(random);
      }
      std::sort(cuts.begin(), cuts.end());
      for (const std::int64_t c : cuts) {
        cut.max_iterations = c;
        minimize(problem, start, cut);
      }
      cut.max_iterations = options.max_iterations;
      const MinimizeResult resumed = minimize(problem, start, cut);
      EXPECT_TRUE(same_bits(whole.w, resumed.w))
          << info.name << " cut at " << cuts[0] << ", " << cuts[1];
      EXPECT_EQ(whole.status, resumed.status) << info.name;
      EXPECT_EQ(whole.num_iterations, resumed.num_iterations) << info.name;
      EXPECT_EQ(whole.iterations.size(), resumed.iterations.size()) << info.name;
    }
  }
}

// SIGKILL at random moments, again and again until the run is through.
TEST(Checkpoint, SurvivesKill) {
  const test::LogisticRegression problem(400, 20, 1e-4);
  const Vector start(20, 0.0);
  MinimizeOptions options{.method = "sgd,lbfgs",
                          .method_options = {{"learning-rate", "0.05"}, {"momentum", "0.9"}},
                          .max_epochs = 6,
                          .plateau = 0,
                          .minibatch = 16,
                          .seed = 11};
  const MinimizeResult whole = minimize(problem, start, options);
  options.checkpoint_every_iterations = 20;
  options.resume = true;
  // Moments are drawn from the length of a run with checkpoints, whatever the machine's speed.
  const auto begin = std::chrono::steady_clock::now();
  {
    const Folder folder;
    options.checkpoint_directory = folder.path();
    ASSERT_TRUE(same_bits(whole.w, minimize(problem, start, options).w));
  }
  const auto length = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - begin);
  const auto longest =
      static_cast<useconds_t>(std::clamp<std::int64_t>(length.count(), 1000, 900'000));
  std::mt19937 random(1);
  int kills = 0;
  for (int repeat = 0; repeat < 300 && kills < 25; ++repeat) {
    const Folder folder;
    options.checkpoint_directory = folder.path();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        minimize(problem, start, options);
      } catch (...) {
        _exit(2);
      }
      _exit(0);
    }
    usleep(std::uniform_int_distribution<useconds_t>(0, longest)(random));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
      ++kills;
    else
      ASSERT_EQ(WEXITSTATUS(status), 0);
    const MinimizeResult resumed = minimize(problem, start, options);
    ASSERT_TRUE(same_bits(whole.w, resumed.w)) << repeat;
  }
  EXPECT_GT(kills, 10);
}

TEST(Checkpoint, ForeignCheckpointIsRefused) {
  const Folder folder;
  MinimizeOptions options{
      .method = "gd", .max_iterations = 3, .checkpoint_directory = folder.path(), .resume = true};
  minimize(test::Quadratic({1, 2}), Vector{1, 1}, options);
  EXPECT_THROW(minimize(test::Quadratic({1, 3}), Vector{1, 1}, options), Error);
  EXPECT_THROW(minimize(test::Quadratic({1, 2}), Vector{1, 2}, options), Error);
  options.method = "lbfgs";
  EXPECT_THROW(minimize(test::Quadratic({1, 2}), Vector{1, 1}, options), Error);
}

}  // namespace
}  // namespace kappa

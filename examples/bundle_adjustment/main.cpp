// Bundle adjustment by Gauss-Newton and by Newton with exact sparse second derivatives.
//
//   bundle_adjustment problem.txt | problem.bin
#include <chrono>
#include <string>

#include "bundle.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::printf("usage: bundle_adjustment FILE (BAL text, or libmv's .bin)\n");
    return 2;
  }
  const std::string path = argv[1];
  const bundle::Problem problem =
      path.ends_with(".bin") ? bundle::read_libmv(path) : bundle::read_text(path);
  const bundle::Functions f = bundle::functions(problem);
  std::printf("%td cameras, %td points, %td observations, %td variables\n", problem.num_cameras,
              problem.num_points, problem.num_observations(), problem.start.size());
  for (const auto& [name, method] : {std::pair("Gauss-Newton", bundle::Method::gauss_newton),
                                     std::pair("Newton", bundle::Method::newton)}) {
    std::printf("%s\nstep  cost              largest gradient entry\n", name);
    const auto begin = std::chrono::steady_clock::now();
    const bundle::Result result = bundle::solve(f, problem.start, method, 100, 1e-9, true);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::printf("%s: cost %.10e, %d steps, %.2f s\n", name, result.cost, result.steps,
                time.count());
  }
}

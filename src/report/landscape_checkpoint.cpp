#include "report/landscape_checkpoint.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "kappa/error.h"
#include "minimize/checkpoint.h"

namespace kappa {
namespace {

// The payload: magic, fingerprint, values.
constexpr char magic[8] = {'L', 'A', 'N', 'D', 'S', 'C', 'P', '1'};
constexpr std::size_t header = 16;

void mix(std::uint64_t& hash, std::span<const double> values) {  // FNV-1a over words
  hash = (hash ^ values.size()) * 0x100000001b3U;
  for (const double value : values) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001b3U;
    hash ^= hash >> 29;
  }
}

}  // namespace

LandscapeCheckpoint::LandscapeCheckpoint(std::string directory, std::span<const double> w,
                                         const std::vector<LandscapeAxis>& axes,
                                         double value_at_point)
    : directory_(std::move(directory)), fingerprint_(0xcbf29ce484222325U) {
  mix(fingerprint_, w);
  for (const LandscapeAxis& axis : axes) {
    mix(fingerprint_, axis.direction);
    mix(fingerprint_, axis.t);
  }
  mix(fingerprint_, {&value_at_point, 1});
}

std::vector<double> LandscapeCheckpoint::read() const {
  const auto payload = read_checkpoint(directory_);
  if (!payload) return {};
  const std::vector<char>& bytes = *payload;
  std::uint64_t fingerprint = 0;
  if (bytes.size() >= header) std::memcpy(&fingerprint, bytes.data() + 8, 8);
  if (bytes.size() < header || std::memcmp(bytes.data(), magic, 8) != 0 ||
      (bytes.size() - header) % sizeof(double) != 0 || fingerprint != fingerprint_) {
    throw Error(ErrorKind::data,
                fmt::format("--checkpoint: {} holds another run (point, data, directions, range or "
                            "points differ); give another folder, or remove it to begin anew",
                            directory_));
  }
  std::vector<double> values((bytes.size() - header) / sizeof(double));
  std::memcpy(values.data(), bytes.data() + header, bytes.size() - header);
  return values;
}

void LandscapeCheckpoint::write(std::span<const double> values) const {
  std::vector<char> bytes(header + values.size_bytes());
  std::memcpy(bytes.data(), magic, 8);
  std::memcpy(bytes.data() + 8, &fingerprint_, 8);
  std::memcpy(bytes.data() + header, values.data(), values.size_bytes());
  write_checkpoint(directory_, bytes);
}

}  // namespace kappa

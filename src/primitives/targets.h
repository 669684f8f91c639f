#pragma once

// SIMD targets compiled for run-time dispatch: portable, AVX2, AVX-512. The ones between bring
// little for what they cost in compile time. Must stand before the first Highway header of a file.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)

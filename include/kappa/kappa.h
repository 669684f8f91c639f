#pragma once

// Functions of arrays, their derivatives, curvature and minimisers. The two header-only ways,
// kappa/jet.h and kappa/elements.h, are included by those who want them: they take time to compile.

#include "kappa/analysis.h"
#include "kappa/array.h"
#include "kappa/curvature.h"
#include "kappa/error.h"
#include "kappa/function.h"
#include "kappa/landscape.h"
#include "kappa/minimize.h"
#include "kappa/operator.h"
#include "kappa/problem.h"
#include "kappa/progress.h"
#include "kappa/solve.h"
#include "kappa/version.h"

#pragma once

// Functions of arrays, their derivatives, curvature and minimisers, with the Eigen that they take
// and give. That is most of the time this header takes to compile: kappa/function.h and the others
// only name Eigen's types (docs/decisions/0010). The two header-only ways, kappa/jet.h and
// kappa/elements.h, are included by those who want them.

#include <Eigen/SparseCore>

#include "kappa/analysis.h"
#include "kappa/array.h"
#include "kappa/curvature.h"
#include "kappa/eigen_names.h"
#include "kappa/error.h"
#include "kappa/function.h"
#include "kappa/landscape.h"
#include "kappa/minimize.h"
#include "kappa/operator.h"
#include "kappa/problem.h"
#include "kappa/progress.h"
#include "kappa/solve.h"
#include "kappa/version.h"

#pragma once

// All of Kappa: arrays and their derivatives, jets, sums of elements, curvature, minimisers.

#include "kappa/analysis.h"
#include "kappa/array.h"
#include "kappa/curvature.h"
#include "kappa/elements.h"
#include "kappa/error.h"
#include "kappa/function.h"
#include "kappa/jet.h"
#include "kappa/minimize.h"
#include "kappa/operator.h"
#include "kappa/problem.h"
#include "kappa/progress.h"
#include "kappa/solve.h"
#include "kappa/version.h"

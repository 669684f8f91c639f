/** The JSON of `kappa analyze`, `minimize` and `compare` (docs/cli.md), as far as the page reads it.
 *  A number that was infinite or undefined is null there. */

export type Num = number | null;

export interface Objective {
  kind: string;
  text: string;
  num_parameters: number;
  num_samples: number;
  loss: string | null;
  dtype: string;
}

export interface Eigenvalue {
  value: Num;
  residual: Num;
  error_bound: Num;
  converged: boolean;
}

export interface Condition {
  number: Num;
  lambda_max: Num;
  lambda_min: Num;
  null_dimension: number;
  is_lower_bound?: boolean;
  definition: string;
}

export interface CriticalPoint {
  kind: string;
  index: number;
  gradient_norm: Num;
  gradient_tolerance: Num;
  evidence: string;
}

export interface LearningRate {
  stability_limit?: Num;
  fastest_fixed?: Num;
  steepest_descent_step?: Num;
  curvature_along_gradient?: Num;
  momentum?: { learning_rate: Num; momentum: Num; rate: Num };
  gradient_descent_rate?: Num;
  "iterations_to_1e-6"?: Num;
  reference_rate?: Num;
  directions?: { eigenvalue: Num; ideal_rate: Num; contraction: Num }[];
  given?: { learning_rate: Num; stable: boolean; contraction_worst: Num; sentence?: string };
}

export interface Slice {
  kind: string;
  label: string;
  slope: Num;
  curvature?: Num;
  model_holds_to?: Num;
  t: number[];
  value: Num[];
}

/** A walk on the function itself, as it was computed. */
export interface Walk {
  method: string;
  learning_rate?: Num;
  momentum?: Num;
  points: Num[][];
  value: Num[];
}

export interface Analysis {
  kappa: string;
  objective: Objective;
  point?: { names: string[]; values: Num[] };
  value?: Num;
  gradient?: { norm_2: Num; norm_inf: Num; vector?: Num[] };
  operator?: string;
  hessian?: Num[][];
  outputs?: Num[];
  components?: string[];
  jacobian?: Num[][];
  singular_values?: Num[];
  rank?: number;
  eigenvalues?: { top: Eigenvalue[]; bottom: Eigenvalue[]; all?: Num[]; vectors?: Num[][] };
  outliers?: { count: number; last: Num; next: Num };
  condition?: Condition;
  condition_of_mean?: Condition;
  trace?: { value: Num; standard_error: Num; num_probes: number };
  density?: {
    lambda: number[];
    density: Num[];
    standard_error: Num[];
    num_probes: number;
    num_steps: number;
    sigma?: Num;
  };
  critical_point?: CriticalPoint;
  shape?: string;
  learning_rate?: LearningRate;
  model?: {
    newton_decrement: Num;
    newton_step_norm: Num;
    predicted_decrease: Num;
    actual_decrease: Num;
    trusted_radius?: Num;
    modified?: boolean;
    method?: string;
    newton_step?: Num[];
  };
  per_layer?: { name: string; num_parameters: number; lambda_max: Eigenvalue }[];
  slices?: { lines?: Slice[]; plane?: { x: number[]; y: number[]; value: Num[][] }; walks?: Walk[] };
  cost?: Record<string, Num>;
  warnings?: string[];
}

export interface Iteration {
  iteration: number;
  value: Num;
  gradient_norm?: Num;
  step_norm?: Num;
  seconds?: Num;
  gradient_equivalents?: Num;
  lambda_max?: Num;
  learning_rate?: Num;
}

export interface Paths {
  space: "parameters" | "principal";
  names: string[];
  explained?: Num[];
  runs: { method: string; iteration: number[]; value: Num[]; coordinates: Num[][] }[];
  plane?: { x: number[]; y: number[]; value: Num[][] };
}

/** What the program left out of the page's copy of the result. */
export interface PageNotes {
  thinned?: string[];
}

export interface LandscapeAxis {
  kind: string;
  label: string;
  norm: Num;
  eigenvalue?: Num;
  t: number[];
}

export interface Landscape {
  kappa: string;
  objective: Objective;
  landscape: {
    axes: LandscapeAxis[];
    model: { value: Num; slope: Num[]; curvature: Num[][] };
    value: Num[] | Num[][];
    num_points: number;
    num_done: number;
    complete: boolean;
    lowest?: { value: Num; t: number[] };
    shape?: string;
  };
  cost?: Record<string, Num>;
  warnings?: string[];
}

export interface Run {
  objective?: Objective;
  kappa?: string;
  method: string;
  method_reason?: string;
  status: string;
  usable: boolean;
  reason: { criterion: string; measured: Num; threshold: Num; text?: string };
  value: Num;
  start_value: Num;
  gradient?: { norm_2: Num; norm_inf: Num };
  parameters?: Record<string, unknown>;
  standard_errors?: Record<string, unknown>;
  residual_sum_of_squares?: Num;
  accuracy?: Num;
  critical_point?: CriticalPoint;
  iterations: Iteration[];
  cost?: Record<string, Num>;
  warnings?: string[];
  paths?: Paths;
}

export interface Comparison {
  kappa: string;
  objective: Objective;
  runs: Run[];
  warnings?: string[];
  paths?: Paths;
}

/** Several results on one page. */
export interface Joined {
  kappa: string;
  objective: Objective;
  results: unknown[];
}

export const isNumber = (x: unknown): x is number => typeof x === "number" && Number.isFinite(x);

#include <kappa/kappa.h>

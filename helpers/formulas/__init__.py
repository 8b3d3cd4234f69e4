"""Every closed form of the course, one short function each; each takes numbers or arrays that broadcast.

Symbols: ``psi`` is the variance between groups and ``theta`` the variance within, both in squared units
of the outcome; ``J`` groups of ``n`` observations, N = J n in all. Unless a function says otherwise the
groups are of equal size and the variances are known; with estimates put in, the results are estimates.
lme4's ``theta`` is another thing: the ratio of the two standard deviations.

Every function raises ValueError where a variance is negative, a count below one, or a value not finite,
and returns a float, or an array where it was given one.
"""

from .design_effects import (
    design_effect,
    effective_sample_size,
    icc,
    moulton_factor,
    se_between_slope,
    se_within_slope,
)
from .groups import (
    coverage_group_mean_partial_at,
    rmse_group_mean_partial_at,
    se_group_difference,
    se_group_mean,
    se_group_mean_partial,
    se_new_group_mean,
    se_new_observation,
    se_new_observation_known_group,
    shrinkage,
)
from .intervals import (
    normal_coverage,
    z_coverage,
)
from .means import (
    se_bracket,
    se_complete_pooling,
    se_floor,
    se_no_pooling,
    se_partial_pooling,
    se_partial_pooling_unbalanced,
)
from .planning import (
    groups_needed,
    groups_needed_two_arms,
    minimum_detectable_effect,
    optimal_group_size,
    power,
    se_two_arms,
)
from .population import (
    se_finite_population,
    se_finite_population_unbalanced,
)
from .robust import (
    kenward_roger_mean,
    se_bootstrap_groups,
    se_bootstrap_rows,
    se_bootstrap_two_stage,
    se_bootstrap_within,
)
from .slopes import (
    one_slope_variance,
    se_average_slope,
)
from .two_groupings import (
    df_crossed,
    expected_mean_squares_crossed,
    expected_mean_squares_nested,
    expected_two_way,
    reml_mean_squares_nested,
    se_crossed,
    se_nested,
)
from .variances import (
    complete_pooling_variance,
    expected_mean_squares,
    probability_of_zero,
    se_variances,
    variances_from_mean_squares,
)

__all__ = [
    "complete_pooling_variance",
    "coverage_group_mean_partial_at",
    "design_effect",
    "df_crossed",
    "effective_sample_size",
    "expected_mean_squares",
    "expected_mean_squares_crossed",
    "expected_mean_squares_nested",
    "expected_two_way",
    "groups_needed",
    "groups_needed_two_arms",
    "icc",
    "kenward_roger_mean",
    "minimum_detectable_effect",
    "moulton_factor",
    "normal_coverage",
    "one_slope_variance",
    "optimal_group_size",
    "power",
    "probability_of_zero",
    "reml_mean_squares_nested",
    "rmse_group_mean_partial_at",
    "se_average_slope",
    "se_between_slope",
    "se_bootstrap_groups",
    "se_bootstrap_rows",
    "se_bootstrap_two_stage",
    "se_bootstrap_within",
    "se_bracket",
    "se_complete_pooling",
    "se_crossed",
    "se_finite_population",
    "se_finite_population_unbalanced",
    "se_floor",
    "se_group_difference",
    "se_group_mean",
    "se_group_mean_partial",
    "se_nested",
    "se_new_group_mean",
    "se_new_observation",
    "se_new_observation_known_group",
    "se_no_pooling",
    "se_partial_pooling",
    "se_partial_pooling_unbalanced",
    "se_two_arms",
    "se_variances",
    "se_within_slope",
    "shrinkage",
    "variances_from_mean_squares",
    "z_coverage",
]

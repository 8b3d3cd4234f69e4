"""The figures of the course in one look; each function returns a figure and alt text made of its data."""

from .balanced import f_against_groups, se_by_class_size, sum_of_squares_split
from .checks import effects_against_normal, residuals_against_normal, residuals_by_fitted
from .design import design_contours, power_curves
from .estimands import coverage_by_population, se_by_population, standard_errors_and_bound, students_by_class
from .few_groups import coverage_by_groups, df_by_predictor
from .groupings import errors_by_level, two_way_by_groups
from .posterior import posterior_ladder, posterior_of_sd
from .predictors import se_ratio_by_icc, slopes_within_and_between
from .radon import county_standard_errors, means_by_size, two_logarithms
from .repeats import interval_ladder, repeated_means
from .robust import equal_families
from .shrinkage import class_mean_variance_parts, shrinkage_by_distance, shrinkage_fan
from .slopes import average_slope_by_size, own_and_shrunk_lines
from .style import ACCENT, COMPLETE, FAINT, INK, NO, PARTIAL, STYLE, save, show
from .unbalanced import se_brackets, weights_by_size
from .variances import chance_of_zero, criterion_at_the_boundary, profile_deviance
from .your_data import grouped_means

__all__ = [
    "ACCENT",
    "COMPLETE",
    "FAINT",
    "INK",
    "NO",
    "PARTIAL",
    "STYLE",
    "average_slope_by_size",
    "chance_of_zero",
    "class_mean_variance_parts",
    "county_standard_errors",
    "coverage_by_groups",
    "coverage_by_population",
    "criterion_at_the_boundary",
    "design_contours",
    "df_by_predictor",
    "effects_against_normal",
    "equal_families",
    "errors_by_level",
    "f_against_groups",
    "grouped_means",
    "interval_ladder",
    "means_by_size",
    "own_and_shrunk_lines",
    "posterior_ladder",
    "posterior_of_sd",
    "power_curves",
    "profile_deviance",
    "repeated_means",
    "residuals_against_normal",
    "residuals_by_fitted",
    "save",
    "se_brackets",
    "se_by_class_size",
    "se_by_population",
    "se_ratio_by_icc",
    "show",
    "shrinkage_by_distance",
    "shrinkage_fan",
    "slopes_within_and_between",
    "standard_errors_and_bound",
    "students_by_class",
    "sum_of_squares_split",
    "two_logarithms",
    "two_way_by_groups",
    "weights_by_size",
]

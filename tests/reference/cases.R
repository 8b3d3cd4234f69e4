# Small files at the edge of the model, tests/cases/*.csv, and what R makes of them.
# Writes cases.json beside this script: Rscript tests/reference/cases.R

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressMessages({
  library(lme4)
  library(lmerTest)
  library(clubSandwich)
  library(nlme)
})

define({
  case <- function(name) read.csv(file.path("tests", "cases", paste0(name, ".csv")))
  pairs <- case("negative_pairs")
  wide <- reshape(pairs, idvar = "pair", timevar = "arm", direction = "wide")
  paired <- t.test(wide$y.treated, wide$y.control, paired = TRUE)
  pairs_lm <- lm(y ~ arm, pairs)
  pairs_lmer <- lmerTest::lmer(y ~ arm + (1 | pair), pairs)
  pairs_gls <- nlme::gls(y ~ arm, pairs, correlation = nlme::corCompSymm(form = ~ 1 | pair))
  pairs_fixed <- lm(y ~ factor(pair) + arm, pairs)
  lone <- case("lone_level")
  lone_lm <- lm(y ~ arm, lone)
  lone_lmer <- lmerTest::lmer(y ~ arm + (1 | trial), lone)
  site <- case("cluster_is_term")
  site_lm <- lm(y ~ site, site)
  growth <- case("growth")
  alone <- lmerTest::lmer(height ~ 1 + (1 | plant), growth)
  week <- lmerTest::lmer(height ~ I(week - mean(week)) + (1 | plant), growth)
  sloped <- lmerTest::lmer(height ~ week + (week | plant), growth)
  week_lm <- lm(height ~ I(week - mean(week)), growth)
  anew <- case("implicit_nesting")
  anew_both <- lmerTest::lmer(score ~ 1 + (1 | school / class), anew)
  anew_lmer <- lmerTest::lmer(score ~ 1 + (1 | school:class), anew)
  anew_labels <- lmerTest::lmer(score ~ 1 + (1 | class), anew)
  anew_lm <- lm(score ~ factor(school) * factor(class), anew)
  anew_rest <- anova(lm(score ~ factor(school) + factor(class), anew), anew_lm)
  anew_share <- anova(lm(score ~ factor(school), anew), lm(score ~ factor(school) + factor(class), anew))
  three <- case("three_levels")
  three_lmer <- lmerTest::lmer(score ~ treated + (1 | school/class), three)
  three_mean <- lmerTest::lmer(score ~ 1 + (1 | school/class), three)
  three_lm <- lm(score ~ treated, three)
  three_lm0 <- lm(score ~ 1, three)
  kr <- function(fit, what) coef(summary(fit, ddf = "Kenward-Roger"))[, what]
  robust <- function(fit, group, what) coef_test(fit, "CR2", cluster = group)[[what]]
  variances <- function(fit) as.data.frame(VarCorr(fit))$vcov
})

add("negative_pairs.cor", "cor(wide$y.control, wide$y.treated)")
add("negative_pairs.paired", "c(paired$estimate, paired$stderr, paired$parameter, paired$conf.int)",
    "difference, standard error, df, 95% interval")
add("negative_pairs.lmer", "c(kr(pairs_lmer, 1), kr(pairs_lmer, 2), kr(pairs_lmer, 3))",
    "estimates, standard errors and df of Kenward and Roger, of intercept and arm")
add("negative_pairs.variances", "variances(pairs_lmer)")
add("negative_pairs.gls_rho", 'coef(pairs_gls$modelStruct$corStruct, unconstrained = FALSE)',
    "REML estimate of the correlation of two rows of one pair, free to be negative")
add("negative_pairs.gls", "c(coef(pairs_gls), sqrt(diag(vcov(pairs_gls))))")
add("negative_pairs.gls_mean", "sqrt(c(1, 0.5) %*% vcov(pairs_gls) %*% c(1, 0.5))",
    "standard error of the mean of both arms")
add("negative_pairs.means", "sd(tapply(pairs$y, pairs$pair, mean)) / sqrt(12)",
    "the same from the pairs' means")
add("negative_pairs.lmer_mean", "sqrt(as.numeric(c(1, 0.5) %*% as.matrix(vcov(pairs_lmer)) %*% c(1, 0.5)))")
add("negative_pairs.CR2", 'c(robust(pairs_lm, pairs$pair, "SE"), robust(pairs_lm, pairs$pair, "df_Satt"))')
add("negative_pairs.fixed", 'coef(summary(pairs_fixed))["armtreated", 1:2]')
add("negative_pairs.F", 'anova(pairs_lm, pairs_fixed)$F[2]')
add("negative_pairs.F_lower", 'pf(anova(pairs_lm, pairs_fixed)$F[2], 11, 11)')
add("lone_level.lmer", "c(kr(lone_lmer, 1), kr(lone_lmer, 2), kr(lone_lmer, 3))")
add("lone_level.lmer_plain", "unname(sqrt(diag(as.matrix(vcov(lone_lmer)))))")
add("lone_level.variances", "variances(lone_lmer)")
add("lone_level.CR2", 'c(robust(lone_lm, lone$trial, "SE"), robust(lone_lm, lone$trial, "df_Satt"))',
    "armc, the third, has no standard error: what is printed leaves out all that trial 9 varies")
add("cluster_is_term.fit", "coef(site_lm)")
add("cluster_is_term.CR0", 'sqrt(diag(vcovCR(site_lm, site$site, "CR0")))', "0 but for rounding")
add("growth.alone", "c(fixef(alone), sqrt(diag(vcov(alone))), variances(alone))")
add("growth.week", "c(kr(week, 1), kr(week, 2), kr(week, 3))")
add("growth.variances", "variances(week)")
add("growth.sloped", "c(kr(sloped, 1)[2], kr(sloped, 2)[2], kr(sloped, 3)[2])",
    "the slope of week where it differs from plant to plant")
add("growth.CR2", 'c(robust(week_lm, growth$plant, "SE"), robust(week_lm, growth$plant, "df_Satt"))')

add("implicit_nesting.cells", "c(kr(anew_lmer, 1), kr(anew_lmer, 2), kr(anew_lmer, 3))",
    "classes numbered anew in each school: estimate, standard error and df of the mean")
add("implicit_nesting.both", "c(kr(anew_both, 1), kr(anew_both, 2), kr(anew_both, 3))",
    "school/class: the variance of schools is 0")
add("implicit_nesting.labels", "c(kr(anew_labels, 1), kr(anew_labels, 2), kr(anew_labels, 3))",
    "the same if 1 is one class in all schools")
add("implicit_nesting.within", '1 - pf(anew_rest$F[2], anew_rest$Df[2], anew_rest$Res.Df[2])')
add("implicit_nesting.across",
    '1 - pf(anew_share[2, "Sum of Sq"] / anew_share$Df[2] / (anew_rest[2, "Sum of Sq"] / anew_rest$Df[2]), anew_share$Df[2], anew_rest$Df[2])',
    "of the labels against the cells")
add("three_levels.treated", "c(kr(three_lmer, 1)[2], kr(three_lmer, 2)[2], kr(three_lmer, 3)[2])")
add("three_levels.mean", "c(kr(three_mean, 1), kr(three_mean, 2), kr(three_mean, 3))")
add("three_levels.CR2", 'c(robust(three_lm, three$school, "SE"), robust(three_lm, three$school, "df_Satt"))')
add("three_levels.CR2_mean", 'c(robust(three_lm0, three$school, "SE"), robust(three_lm0, three$school, "df_Satt"))')

save_reference("cases", c(
  source = "tests/cases/*.csv",
  versions(c("lme4", "lmerTest", "pbkrtest", "clubSandwich", "nlme"))
))

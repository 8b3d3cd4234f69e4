# Which degrees of freedom does a package give by default: one mean and one slope on High School & Beyond.
#
# math ~ cses + (1 | school), 160 schools. Needs R 4.6 and lme4 2.1 with afex, emmeans, parameters, marginaleffects,
# nlme and glmmTMB: Debian unstable (README.md). A package that uses the normal
# distribution has Inf.

setwd(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "..", ".."))
source(file.path("tests", "reference", "common.R"))

define({
  suppressMessages(library(lme4))
  hsb <- read.csv("helpers/data/hsb.csv")
  hsb <- transform(hsb, cses = ses - ave(ses, school))
  m <- lmer(math ~ cses + (1 | school), hsb)
  mt <- lmerTest::lmer(math ~ cses + (1 | school), hsb)
  ma <- suppressMessages(afex::mixed(math ~ cses + (1 | school), hsb, progress = FALSE))
  n <- nlme::lme(math ~ cses, hsb, random = ~ 1 | school)
  tmb <- glmmTMB::glmmTMB(math ~ cses + (1 | school), hsb, REML = TRUE)
})

add("lmerTest", "coef(summary(mt))[, 'df']")
add("afex.slope", "ma$anova_table[1, 'den Df']")
add("afex.summary", "coef(summary(ma$full_model))[, 'df']")
add("emmeans.mean", "as.character(as.data.frame(emmeans::emmeans(m, ~ 1))$df)")
add("emmeans.mean.small", "as.data.frame(emmeans::emmeans(m, ~ 1, lmer.df = 'kenward-roger', pbkrtest.limit = 1e4))$df")
add("emmeans.slope", "as.character(as.data.frame(emmeans::emtrends(m, ~ 1, 'cses'))$df)")
add("parameters", "parameters::model_parameters(m, effects = 'fixed')$df_error")
add("parameters.lmerTest", "parameters::model_parameters(mt, effects = 'fixed')$df_error")
add("marginaleffects.slope", "as.character(marginaleffects::avg_slopes(m)$df)")
add("nlme", "summary(n)$tTable[, 'DF']")
add("glmmTMB.statistic", "colnames(coef(summary(tmb))$cond)[3]")

packages <- c("lme4", "lmerTest", "afex", "emmeans", "parameters", "marginaleffects", "nlme", "glmmTMB", "pbkrtest")
save_reference("default_df", c(source = "helpers/data/hsb.csv", versions(packages)))

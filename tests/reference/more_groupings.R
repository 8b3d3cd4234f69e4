# Two groupings in balanced data, for notebook 15: classes in schools (helpers/data/three_levels.csv), answers of
# readers about texts and a panel of firms by years, both simulated. Writes more_groupings.json beside this
# script: Rscript tests/reference/more_groupings.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages({
  library(lme4); library(lmerTest); library(pbkrtest); library(clubSandwich); library(sandwich); library(survey)
})

define({
  tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-10, maxfun = 20000))
  fit <- function(formula, data) lmerTest::lmer(formula, data, control = tight)
  se <- function(m) sqrt(diag(as.matrix(vcov(m))))
  kr_df <- function(m) coef(summary(m, ddf = "Kenward-Roger"))[, "df"]
  kr_se <- function(m) sqrt(diag(as.matrix(vcovAdj(m))))
  schools <- read.csv("helpers/data/three_levels.csv")
  schools <- transform(schools, school = factor(school), class = factor(class))
  schools <- transform(schools, treated = treated - .5, sector = as.numeric(school) %% 2 - .5,
                       half = pupil %% 2 - .5, class_of_school = interaction(school, class, drop = TRUE))
  set.seed(15)
  reader <- rnorm(12, 0, 2); text <- rnorm(8, 0, 3)
  answers <- expand.grid(text = 1:8, reader = 1:12)
  answers$score <- 50 + reader[answers$reader] + text[answers$text] + rnorm(96, 0, 4)
  answers$long <- as.numeric(answers$text > 4) - .5
  set.seed(16)
  panel <- expand.grid(year = 1:10, firm = 1:40)
  effects <- list(x = rnorm(40), x_year = rnorm(10, 0, .7), y = rnorm(40), y_year = rnorm(10, 0, .7))
  panel$x <- effects$x[panel$firm] + effects$x_year[panel$year] + rnorm(400)
  panel$y <- 1 + panel$x + effects$y[panel$firm] + effects$y_year[panel$year] + rnorm(400, 0, 2)
})

# ---- classes in schools -------------------------------------------------------------------------
add("nested.ms", "anova(lm(score ~ school + class_of_school, schools))[['Mean Sq']]")
models <- c(three = "(1 | school / class)", school = "(1 | school)", class = "(1 | class_of_school)",
            numbers = "(1 | class)")
for (name in names(models)) {
  m <- paste0("fit(score ~ 1 + ", models[name], ", schools)")
  add(paste0("nested.mean.", name), sprintf("se(%s)", m))
  add(paste0("nested.mean.", name, "_df"), sprintf("kr_df(%s)", m))
  if (name == "numbers") next
  m <- paste0("fit(score ~ sector + treated + half + ", models[name], ", schools)")
  add(paste0("nested.terms.", name), sprintf("se(%s)", m))
  add(paste0("nested.terms.", name, "_kr"), sprintf("kr_se(%s)", m))
  add(paste0("nested.terms.", name, "_df"), sprintf("kr_df(%s)", m))
}
add("nested.variances", "as.data.frame(VarCorr(fit(score ~ 1 + (1 | school / class), schools)))$vcov",
    note = "class within school, school, residual")
add("nested.treated", "se(fit(score ~ treated + (1 | school / class), schools))")
add("nested.treated_df", "kr_df(fit(score ~ treated + (1 | school / class), schools))")
add("nested.treated_school", "se(fit(score ~ treated + (1 | school), schools))")
add("nested.terms.lm", "se(lm(score ~ sector + treated + half, schools))")
for (by in c("school", "class_of_school")) {
  for (type in c("CR1", "CR2")) {
    v <- "sqrt(diag(vcovCR(%s, cluster = schools$%s, type = '%s')))"
    add(paste("nested.mean", by, type, sep = "."), sprintf(v, "lm(score ~ 1, schools)", by, type))
    terms <- sprintf(v, "lm(score ~ sector + treated + half, schools)", by, type)
    add(paste("nested.terms", by, type, sep = "."), terms)
  }
}
add("nested.mean.survey", "SE(svymean(~ score, svydesign(~ school, data = schools, weights = ~ 1)))[1]")
add("nested.terms.around_school",
    paste("sqrt(diag(vcovCR(lmer(score ~ sector + treated + half + (1 | school), schools, control = tight),",
          "type = 'CR2')))"))
add("nested.terms.around_three",
    paste("sqrt(diag(vcovCR(lmer(score ~ sector + treated + half + (1 | school / class), schools,",
          "control = tight), cluster = schools$school, type = 'CR2')))"))

# ---- readers by texts ---------------------------------------------------------------------------
add("crossed.score", "answers$score[c(1:3, 94:96)]")
add("crossed.ms", "anova(lm(score ~ factor(reader) + factor(text), answers))[['Mean Sq']]")
both <- "fit(score ~ %s + (1 | reader) + (1 | text), answers)"
for (terms in c("1", "long")) {
  name <- c("1" = "mean", long = "long")[[terms]]
  m <- sprintf(both, terms)
  add(paste0("crossed.", name), sprintf("se(%s)", m))
  add(paste0("crossed.", name, "_satterthwaite"), sprintf("coef(summary(%s))[, 'df']", m))
  add(paste0("crossed.", name, "_kr"), sprintf("kr_se(%s)", m))
  add(paste0("crossed.", name, "_kr_df"), sprintf("kr_df(%s)", m))
  for (one in c("reader", "text")) {
    add(paste0("crossed.", name, ".", one), sprintf("se(fit(score ~ %s + (1 | %s), answers))", terms, one))
  }
}
clustered <- "sqrt(diag(vcovCL(lm(%s), cluster = ~ %s, type = 'HC0')))"
note <- "type HC0, so that every part has G / (G - 1) and nothing else"
for (by in c("reader", "text", "reader + text")) {
  name <- sub(" + ", "_", by, fixed = TRUE)
  add(paste0("crossed.cr1.", name), sprintf(clustered, "score ~ 1, answers", by), note)
  add(paste0("crossed.long.cr1.", name), sprintf(clustered, "score ~ long, answers", by), note)
}

# ---- firms by years -----------------------------------------------------------------------------
add("panel.y", "panel$y[c(1:3, 398:400)]")
add("panel.lm", "c(coef(lm(y ~ x, panel))[2], se(lm(y ~ x, panel))[2])")
for (by in c("firm", "year", "firm + year")) {
  add(paste0("panel.cr1.", sub(" + ", "_", by, fixed = TRUE)), sprintf(clustered, "y ~ x, panel", by), note)
}
m <- "fit(y ~ x + (1 | firm) + (1 | year), panel)"
add("panel.both", sprintf("c(fixef(%s)[2], se(%s)[2])", m, m))
add("panel.both_kr", sprintf("c(kr_se(%s)[2], kr_df(%s)[2])", m, m))
add("panel.firm", "se(fit(y ~ x + (1 | firm), panel))")

packages <- c("lme4", "lmerTest", "pbkrtest", "clubSandwich", "sandwich", "survey")
save_reference("more_groupings", versions(packages))

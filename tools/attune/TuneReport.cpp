//===- TuneReport.cpp - The page of attune tune --report ------------------===//
#include "TuneReport.h"

#include "tuner/OutsideSearcher.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <map>

using namespace llvm;

namespace attune::tool {

namespace {
constexpr const char *kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>attune tune</title><style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1f24; background: #fff; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #d0d7de; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.knobs { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1rem; }
figure { margin: 0; } svg { width: 100%; height: auto; } text { font: 11px system-ui, sans-serif; fill: #57606a; }
.axis { stroke: #d0d7de; } .trial { fill: #8c959f; } .failed { stroke: #cf222e; }
.best { fill: none; stroke: #0969da; stroke-width: 2; } .least { fill: #0969da; }
.default { stroke: #bc4c00; stroke-dasharray: 4 3; }
.phases { display: flex; margin: .3rem 0; } .phases span { width: 4.5rem; }
.phases div { flex: 1; display: flex; height: 1.4rem; } .phases i { display: block; }
.swatch { display: inline-block; width: .8rem; height: .8rem; margin-right: .5rem; }
.projection { background: #4e79a7; } .packing { background: #f28e2b; } .masks { background: #b07aa1; }
.scores { background: #59a14f; } .softmax { background: #e15759; } .values { background: #76b7b2; }
.finish { background: #edc948; } .output { background: #9c755f; } .other { background: #bab0ac; }
.waiting { background: repeating-linear-gradient(45deg, #bab0ac 0 2px, transparent 2px 5px); }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117; } text { fill: #9198a1; } .trial { fill: #6e7681; } }
</style></head><body>
<h1>attune tune</h1>
)";

std::string escaped(StringRef text) {
  std::string result;
  raw_string_ostream stream(result);
  printHTMLEscaped(text, stream);
  return result;
}

/// A drawing with times upwards, from the fastest to twice that: what is slower lies at the top.
class Drawing {
public:
  Drawing(double width, double height, double leastMs)
      : width(width), height(height), leastMs(leastMs) {
    line(kLeft, bottom(), width - kRight, bottom(), "axis");
    line(kLeft, kTop, kLeft, bottom(), "axis");
    for (double factor : {1.0, 1.5, 2.0}) {
      label(kLeft - 4, y(factor * leastMs) + 4, "end", formatv("{0:f2}", factor * leastMs).str());
    }
  }

  double y(double ms) const {
    const double share = std::clamp(ms / leastMs - 1, 0.0, 1.05);
    return bottom() - share / 1.05 * (bottom() - kTop);
  }
  /// The place of a share of the width, 0 to 1.
  double x(double share) const { return kLeft + share * (width - kLeft - kRight); }
  double bottom() const { return height - 22; }

  void line(double x1, double y1, double x2, double y2, StringRef style) {
    body += formatv("<line x1='{0:f1}' y1='{1:f1}' x2='{2:f1}' y2='{3:f1}' class='{4}'/>\n", x1, y1,
                    x2, y2, style);
  }
  void dot(double x, double ms, StringRef style, StringRef title) {
    body +=
        formatv("<circle cx='{0:f1}' cy='{1:f1}' r='3' class='{2}'><title>{3}</title></circle>\n",
                x, y(ms), style, escaped(title));
  }
  void cross(double x, StringRef title) {
    body +=
        formatv("<path d='M{0:f1} {1:f1}l6 6m0 -6l-6 6' class='failed'><title>{2}</title></path>\n",
                x - 3, kTop, escaped(title));
  }
  void label(double x, double y, StringRef anchor, StringRef text) {
    body += formatv("<text x='{0:f1}' y='{1:f1}' text-anchor='{2}'>{3}</text>\n", x, y, anchor,
                    escaped(text));
  }
  void path(StringRef points, StringRef style) {
    body += formatv("<polyline points='{0}' class='{1}'/>\n", points, style);
  }

  std::string svg(StringRef title) const {
    return formatv("<svg viewBox='0 0 {0:f0} {1:f0}' role='img' aria-label='{2}'>{3}</svg>\n",
                   width, height, escaped(title), body);
  }

private:
  static constexpr double kLeft = 46, kRight = 8, kTop = 10;

  const double width, height, leastMs;
  std::string body;
};

double leastMs(ArrayRef<Trial> trials) {
  double least = INFINITY;
  for (const Trial &trial : trials)
    least = std::min(least, trial.bestMs());
  return least;
}

/// Every trial in its order, and the best so far.
std::string convergence(const TuningResult &result) {
  const double least = leastMs(result.trials);
  Drawing drawing(860, 260, least);
  double best = INFINITY;
  std::string points;
  const double count = std::max<double>(double(result.trials.size()) - 1, 1);
  for (auto [k, trial] : enumerate(result.trials)) {
    const double x = drawing.x(double(k) / count);
    if (!trial.isOk()) {
      drawing.cross(
          x, formatv("{0}: {1}", statusName(trial.measurement.status), trial.measurement.detail)
                 .str());
      continue;
    }
    best = std::min(best, trial.bestMs());
    drawing.dot(x, trial.bestMs(), "trial",
                formatv("trial {0}: {1:f3} ms", k + 1, trial.bestMs()).str());
    points += formatv("{0:f1},{1:f1} ", x, drawing.y(best));
  }
  drawing.path(points, "best");
  for (const Trial &trial : result.trials)
    if (trial.isOk() && knobsText(trial.schedule) == knobsText(result.defaultSchedule)) {
      const double y = drawing.y(trial.bestMs());
      drawing.line(drawing.x(0), y, drawing.x(1), y, "default");
    }
  drawing.label(drawing.x(0.5), 256, "middle", "trials in their order; ms upwards");
  return drawing.svg("time of each trial, and the best so far");
}

/// The times of all trials by the values of one knob.
std::string knobChart(const TuningResult &result, const Knob &knob) {
  std::map<int64_t, double> best;
  for (const Trial &trial : result.trials)
    if (trial.isOk()) {
      auto [entry, isNew] = best.try_emplace(knob.get(trial.schedule), trial.bestMs());
      entry->second = std::min(entry->second, trial.bestMs());
    }
  if (best.size() < 2)
    return "";
  Drawing drawing(380, 200, leastMs(result.trials));
  std::map<int64_t, double> place;
  for (const auto &[value, ms] : best) {
    place[value] = drawing.x((double(place.size()) + 0.5) / double(best.size()));
    if (best.size() <= 12 || place.size() % 3 == 1)
      drawing.label(place[value], 192, "middle", knob.text(value));
  }
  for (const Trial &trial : result.trials)
    if (trial.isOk())
      drawing.dot(place[knob.get(trial.schedule)], trial.bestMs(), "trial",
                  formatv("{0:f3} ms", trial.bestMs()).str());
  for (const auto &[value, ms] : best)
    drawing.dot(place[value], ms, "least", formatv("{0}: {1:f3} ms", knob.text(value), ms).str());
  return formatv("<figure><figcaption>{0}</figcaption>{1}</figure>\n", knob.name,
                 drawing.svg(knob.name));
}

/// What the winner has that the default has not.
std::string changes(const TuningResult &result) {
  std::string rows;
  for (const Knob &knob : knobs()) {
    const std::string before = knob.text(knob.get(result.defaultSchedule));
    const std::string after = knob.text(knob.get(result.best));
    if (before != after)
      rows += formatv("<tr><td>{0}</td><td>{1}</td><td>{2}</td></tr>\n", knob.name, before, after);
  }
  if (rows.empty())
    return "";
  return "<table><tr><th>knob</th><th>default</th><th>tuned</th></tr>\n" + rows + "</table>\n";
}

std::string phases(const TunedCase &one) {
  if (one.defaultPhases.empty())
    return "";
  return "<h3>Time by phase</h3>\n<p>The fastest of many runs with a clock around every kernel, by "
         "the "
         "time of day; work of several threads is divided by their number.</p>\n" +
         phaseTable(one.defaultPhases, one.bestPhases, one.problem->threads);
}

std::string summary(const TunedCase &one) {
  const TuningResult &result = one.result;
  auto row = [&](const char *name, double ms) {
    const double gflops = one.problem->flops() / ms / 1e6;
    return formatv(
               "<tr><td>{0}</td><td class='n'>{1:f3}</td><td class='n'>{2:f1}</td><td class='n'>"
               "{3:f0} %</td></tr>\n",
               name, ms, gflops, 100 * gflops / one.peak)
        .str();
  };
  std::string text =
      "<table><tr><th></th><th>median ms</th><th>GFLOP/s</th><th>of the FMA peak</th></tr>\n";
  text += row("default", result.defaultTimes.medianMs);
  if (result.isFaster)
    text += row("tuned", result.bestTimes.medianMs);
  text += "</table>\n";
  text +=
      result.isFaster
          ? formatv("<p>{0:f3} times as fast as the default (95 %: {1:f3} to {2:f3}), call by call "
                    "in turns; the default and a copy of it differ by up to {3:f1} %.</p>\n",
                    result.speedup.median, result.speedup.low, result.speedup.high,
                    100 * result.noise)
                .str()
          : formatv("<p>No schedule was faster than the default by more than the noise of {0:f1} %."
                    "</p>\n",
                    100 * result.noise)
                .str();
  return text;
}
} // namespace

std::string tuneReport(ArrayRef<TunedCase> cases) {
  std::string page = kHead;
  for (const TunedCase &one : cases) {
    const TuningProblem &problem = *one.problem;
    page += formatv(
        "<h2>{0}</h2>\n<p>N {1}, L {2}, S {3}; {4} thread(s); {5}; FMA peak {6:f1} GFLOP/s; "
        "{7} schedules in {8:f0} s</p>\n",
        escaped(problem.config.name), problem.sizes.batch, problem.sizes.target,
        problem.sizes.source, problem.threads, escaped(problem.target.cpu), one.peak,
        one.result.trials.size(), one.result.seconds);
    page += summary(one) + changes(one.result) + phases(one);
    page +=
        "<h3>The search</h3>\n<p>Grey: trials. Blue: the best so far. Orange: the default. Red: "
        "failed. What took more than twice the least time lies at the upper edge.</p>\n";
    page += convergence(one.result);
    page += "<h3>Knobs</h3>\n<p>Every trial by the value of each knob; blue is the best trial with "
            "that "
            "value.</p>\n<div class='knobs'>\n";
    for (const Knob &knob : knobs())
      page += knobChart(one.result, knob);
    page += "</div>\n";
  }
  return page + "</body></html>\n";
}

} // namespace attune::tool

//===- ScoreTarget.cpp - Promises of parseScore ---------------------------===//
#include "Targets.h"
#include "frontend/ScoreLexer.h"
#include "frontend/ScoreParser.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstdio>

namespace attune::fuzz {
namespace {

/// How an operation is written.
enum class Form { Leaf, Prefix, Infix, Call };

struct Spelling {
  Form form;
  const char *text;
  unsigned operands;
};

/// In the order of ScoreOp.
constexpr Spelling spellings[] = {
    {Form::Leaf, "", 0},     {Form::Leaf, "s", 0},     {Form::Leaf, "b", 0},
    {Form::Leaf, "h", 0},    {Form::Leaf, "i", 0},     {Form::Leaf, "j", 0},
    {Form::Leaf, "L", 0},    {Form::Leaf, "S", 0},     {Form::Leaf, "H", 0},
    {Form::Leaf, "D", 0},    {Form::Infix, "+", 2},    {Form::Infix, "-", 2},
    {Form::Infix, "*", 2},   {Form::Infix, "/", 2},    {Form::Prefix, "-", 1},
    {Form::Call, "min", 2},  {Form::Call, "max", 2},   {Form::Call, "abs", 1},
    {Form::Call, "exp", 1},  {Form::Call, "log", 1},   {Form::Call, "tanh", 1},
    {Form::Call, "sqrt", 1}, {Form::Call, "where", 3}, {Form::Infix, "<", 2},
    {Form::Infix, "<=", 2},  {Form::Infix, ">", 2},    {Form::Infix, ">=", 2},
    {Form::Infix, "==", 2},  {Form::Infix, "!=", 2},   {Form::Infix, "and", 2},
    {Form::Infix, "or", 2},  {Form::Prefix, "not", 1},
};
static_assert(std::size(spellings) == static_cast<size_t>(ScoreOp::Not) + 1);

const Spelling &spelling(const ScoreNode &node) { return spellings[static_cast<size_t>(node.op)]; }

std::string formProblem(const ScoreExpression &expression) {
  if (expression.nodes.empty() || isCondition(expression.nodes.back().op))
    return "an expression without a number as its result";
  for (auto [position, node] : llvm::enumerate(expression.nodes)) {
    // Signs are operations, so that a number has none.
    if (node.op == ScoreOp::Number && !(node.number >= 0))
      return "a number that no text stands for";
    for (unsigned k = 0; k < spelling(node).operands; ++k) {
      if (node.operands[k] >= position)
        return "an operand that does not stand before its operation";
      if (isCondition(expression.nodes[node.operands[k]].op) != takesCondition(node.op, k))
        return "an operand of the wrong type";
    }
  }
  return "";
}

/// An expression with parentheses around every operation, and how deep they are nested.
struct Printed {
  std::string text;
  unsigned depth = 0;
};

Printed print(const ScoreExpression &expression, unsigned position) {
  const ScoreNode &node = expression.nodes[position];
  const auto &[form, word, count] = spelling(node);
  if (node.op == ScoreOp::Number) {
    char digits[32];
    snprintf(digits, sizeof digits, "%.9g", double(node.number));
    return {digits};
  }
  if (form == Form::Leaf)
    return {word};
  Printed result;
  for (unsigned k = 0; k < count; ++k) {
    Printed operand = print(expression, node.operands[k]);
    if (k > 0)
      result.text += form == Form::Infix ? std::string(" ") + word + " " : ", ";
    result.text += operand.text;
    result.depth = std::max(result.depth, operand.depth + (form == Form::Prefix ? 2 : 1));
  }
  const char *before = form == Form::Infix ? "" : word;
  result.text = form == Form::Call ? std::string(before) + "(" + result.text + ")"
                                   : std::string("(") + before + " " + result.text + ")";
  return result;
}

/// The same tokens with a line end between them.
std::string respaced(llvm::StringRef text) {
  std::string result;
  for (ScoreToken token = scoreTokenAt(text, 0); token.kind != ScoreToken::Kind::End;
       token = scoreTokenAt(text, token.at + token.text.size()))
    result += token.text.str() + "\n";
  return result;
}

/// What another way to write an expression turns into, if it is not the same.
std::string differenceProblem(const std::string &text, const std::string &expected) {
  llvm::Expected<ScoreExpression> expression = parseScore(text);
  if (!expression)
    return "refused when written in another way: " + llvm::toString(expression.takeError());
  std::string found = print(*expression, expression->nodes.size() - 1).text;
  return found == expected ? "" : "other meaning when written in another way: " + found;
}

} // namespace

Verdict checkScoreText(std::string_view input) {
  llvm::Expected<ScoreExpression> expression = parseScore(input);
  if (!expression)
    return {false, messageProblem(llvm::toString(expression.takeError()))};
  if (std::string problem = formProblem(*expression); !problem.empty())
    return {true, problem};
  const Printed printed = print(*expression, expression->nodes.size() - 1);
  std::string problem;
  // Longer and deeper texts are refused for that.
  if (printed.text.size() <= maxScoreBytes && printed.depth <= maxScoreDepth)
    problem = differenceProblem(printed.text, printed.text);
  std::string spaced = respaced(input);
  if (problem.empty() && spaced.size() <= maxScoreBytes)
    problem = differenceProblem(spaced, printed.text);
  return {true, problem};
}

} // namespace attune::fuzz

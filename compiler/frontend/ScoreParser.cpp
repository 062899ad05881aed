//===- ScoreParser.cpp - The score expression of a configuration ----------===//
#include "frontend/ScoreParser.h"
#include "frontend/JsonReader.h"
#include "frontend/Nearest.h"
#include "frontend/ScoreExcerpt.h"
#include "frontend/ScoreLexer.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include <limits>
#include <optional>

namespace attune {
namespace {

using llvm::StringRef;
using llvm::Twine;
using Kind = ScoreToken::Kind;

/// How strongly operators bind.
enum Level { OrLevel, AndLevel, NotLevel, ComparisonLevel, SumLevel, ProductLevel, ValueLevel };

struct BinaryOperator {
  StringRef text;
  Level level;
  ScoreOp op;
};

constexpr BinaryOperator binaryOperators[] = {
    {"or", OrLevel, ScoreOp::Or},
    {"and", AndLevel, ScoreOp::And},
    {"<", ComparisonLevel, ScoreOp::Less},
    {"<=", ComparisonLevel, ScoreOp::LessEqual},
    {">", ComparisonLevel, ScoreOp::Greater},
    {">=", ComparisonLevel, ScoreOp::GreaterEqual},
    {"==", ComparisonLevel, ScoreOp::Equal},
    {"!=", ComparisonLevel, ScoreOp::NotEqual},
    {"+", SumLevel, ScoreOp::Add},
    {"-", SumLevel, ScoreOp::Subtract},
    {"*", ProductLevel, ScoreOp::Multiply},
    {"/", ProductLevel, ScoreOp::Divide},
};

struct NamedValue {
  StringRef name;
  ScoreNode node;
};

constexpr NamedValue namedValues[] = {
    {"s", {ScoreOp::Score}},
    {"b", {ScoreOp::Batch}},
    {"h", {ScoreOp::Head}},
    {"i", {ScoreOp::QueryIndex}},
    {"j", {ScoreOp::KeyIndex}},
    {"L", {ScoreOp::TargetLength}},
    {"S", {ScoreOp::SourceLength}},
    {"H", {ScoreOp::HeadCount}},
    {"D", {ScoreOp::HeadDim}},
    {"inf", {ScoreOp::Number, std::numeric_limits<float>::infinity()}},
};

struct Function {
  StringRef name;
  ScoreOp op;
  unsigned arguments;
  bool orMore = false; ///< further arguments are taken one by one
};

constexpr Function functions[] = {
    {"min", ScoreOp::Min, 2, true}, {"max", ScoreOp::Max, 2, true}, {"abs", ScoreOp::Abs, 1},
    {"exp", ScoreOp::Exp, 1},       {"log", ScoreOp::Log, 1},       {"tanh", ScoreOp::Tanh, 1},
    {"sqrt", ScoreOp::Sqrt, 1},     {"where", ScoreOp::Where, 3},
};

/// What other languages write.
struct Foreign {
  StringRef text, here;
};
constexpr Foreign foreignOperators[] = {{"&&", "and"}, {"&", "and"}, {"||", "or"},
                                        {"|", "or"},   {"!", "not"}, {"=", "=="}};

template <typename Row, size_t N> const Row *findName(const Row (&rows)[N], StringRef name) {
  const Row *row = llvm::find_if(rows, [&](const Row &row) { return row.name == name; });
  return row == std::end(rows) ? nullptr : row;
}

const BinaryOperator *binaryOperator(const ScoreToken &token) {
  const auto *row =
      llvm::find_if(binaryOperators, [&](const BinaryOperator &row) { return token.is(row.text); });
  return row == std::end(binaryOperators) ? nullptr : row;
}

template <typename Row, size_t N> std::string nameList(const Row (&rows)[N]) {
  return llvm::join(llvm::map_range(rows, [](const Row &row) { return row.name; }), ", ");
}

/// What to write instead of an unknown name. A single letter is near to every other one, so that
/// only another case of it counts.
std::string nameAdvice(StringRef name, bool isCall) {
  llvm::SmallVector<StringRef> names, words = {"and", "or", "not"};
  for (const NamedValue &value : namedValues)
    (value.name.size() == 1 ? names : words).push_back(value.name);
  for (const Function &function : functions)
    words.push_back(function.name);
  const auto *otherCase =
      llvm::find_if(names, [&](StringRef other) { return other.equals_insensitive(name); });
  StringRef near = otherCase != names.end() ? *otherCase
                   : name.size() > 1        ? nearest(name, words)
                                            : "";
  if (!near.empty())
    return ("did you mean \"" + near + "\"?").str();
  return "expected one of " + (isCall ? nameList(functions) : nameList(namedValues));
}

std::string shown(const ScoreToken &token) {
  return token.kind == Kind::End ? "the end of the expression" : showScalar(token.text.str());
}

StringRef typeName(bool condition) { return condition ? "a condition" : "a number"; }

/// Part of the expression that has been read.
struct Operand {
  unsigned node;
  size_t at; ///< where its text starts
};

/// Functions return nullopt after a failure, which they have noted.
class Parser {
public:
  explicit Parser(StringRef text) : text(text), token(scoreTokenAt(text, 0)) {}

  llvm::Expected<ScoreExpression> run();

private:
  std::optional<Operand> binary(int level);
  std::optional<Operand> prefix();
  std::optional<Operand> operandOfPrefix();
  std::optional<Operand> value();
  std::optional<Operand> number();
  std::optional<Operand> named();
  std::optional<Operand> call(const Function &function, size_t at);
  std::optional<std::vector<Operand>> arguments();
  std::optional<Operand> parenthesised();

  /// Adds an operation whose name in messages is `name`; checks the types of its operands.
  std::optional<Operand> add(ScoreOp op, StringRef name, size_t at,
                             llvm::ArrayRef<Operand> operands);
  Operand addLeaf(ScoreNode leaf);
  bool checkType(Operand operand, bool condition, const Twine &purpose);

  void advance() { token = scoreTokenAt(text, token.at + token.text.size()); }
  bool enter();
  std::nullopt_t fail(size_t at, const Twine &message);
  std::nullopt_t unexpected(const Twine &expected);

  StringRef text;
  ScoreToken token; ///< the next one
  unsigned depth = 0;
  ScoreExpression expression;
  std::string error;
};

llvm::Expected<ScoreExpression> Parser::run() {
  std::optional<Operand> result = binary(OrLevel);
  if (result && token.kind != Kind::End)
    unexpected("an operator or the end");
  else if (result)
    checkType(*result, false, "as the score; where(condition, x, y) makes one of a condition");
  if (!error.empty())
    return llvm::createStringError(llvm::inconvertibleErrorCode(), error);
  return std::move(expression);
}

std::nullopt_t Parser::fail(size_t at, const Twine &message) {
  error = (message + "\n" + excerptWithCaret(text, at)).str();
  return std::nullopt;
}

std::nullopt_t Parser::unexpected(const Twine &expected) {
  const auto *foreign =
      llvm::find_if(foreignOperators, [&](const Foreign &row) { return row.text == token.text; });
  if (foreign != std::end(foreignOperators))
    return fail(token.at, "found " + shown(token) + ", expected \"" + foreign->here + "\"");
  return fail(token.at, "found " + shown(token) + ", expected " + expected);
}

bool Parser::enter() {
  if (depth == maxScoreDepth) {
    fail(token.at, "parentheses, calls, signs and \"not\" are nested more than " +
                       Twine(maxScoreDepth) + " deep");
    return false;
  }
  ++depth;
  return true;
}

bool Parser::checkType(Operand operand, bool condition, const Twine &purpose) {
  const bool found = isCondition(expression.nodes[operand.node].op);
  if (found != condition)
    fail(operand.at,
         "found " + typeName(found) + ", expected " + typeName(condition) + " " + purpose);
  return found == condition;
}

Operand Parser::addLeaf(ScoreNode leaf) {
  expression.nodes.push_back(leaf);
  Operand operand{unsigned(expression.nodes.size() - 1), token.at};
  advance();
  return operand;
}

std::optional<Operand> Parser::add(ScoreOp op, StringRef name, size_t at,
                                   llvm::ArrayRef<Operand> operands) {
  ScoreNode node{op};
  for (auto [index, operand] : llvm::enumerate(operands)) {
    if (!checkType(operand, takesCondition(op, index), "for \"" + name + "\""))
      return std::nullopt;
    node.operands[index] = operand.node;
  }
  expression.nodes.push_back(node);
  return Operand{unsigned(expression.nodes.size() - 1), at};
}

/// Reads operators that bind at least as strongly as `level`.
std::optional<Operand> Parser::binary(int level) {
  std::optional<Operand> left = prefix();
  bool compared = false;
  while (left) {
    const BinaryOperator *row = binaryOperator(token);
    if (!row || row->level < level)
      break;
    if (compared && row->level == ComparisonLevel)
      return fail(token.at, "comparisons cannot be chained; write \"x < y and y < z\"");
    compared = row->level == ComparisonLevel;
    advance();
    std::optional<Operand> right = binary(row->level + 1);
    if (!right)
      return std::nullopt;
    left = add(row->op, row->text, left->at, {*left, *right});
  }
  return left;
}

std::optional<Operand> Parser::prefix() {
  const ScoreToken sign = token;
  if (!sign.is("-") && !sign.is("+") && !sign.is("not"))
    return value();
  std::optional<Operand> operand = operandOfPrefix();
  if (!operand)
    return std::nullopt;
  if (sign.is("+"))
    return checkType(*operand, false, "for \"+\"") ? std::optional(Operand{operand->node, sign.at})
                                                   : std::nullopt;
  return add(sign.is("-") ? ScoreOp::Negate : ScoreOp::Not, sign.text, sign.at, {*operand});
}

std::optional<Operand> Parser::operandOfPrefix() {
  const bool isNot = token.is("not");
  if (!enter())
    return std::nullopt;
  advance();
  std::optional<Operand> operand = isNot ? binary(NotLevel) : prefix();
  --depth;
  return operand;
}

std::optional<Operand> Parser::value() {
  if (token.kind == Kind::Number)
    return number();
  if (token.is("("))
    return parenthesised();
  if (token.kind == Kind::Name && !binaryOperator(token))
    return named();
  return unexpected("a value");
}

std::optional<Operand> Parser::number() {
  // Straight to float32: by way of a double it would be rounded twice.
  llvm::APFloat parsed(llvm::APFloat::IEEEsingle());
  llvm::Expected<llvm::APFloat::opStatus> status =
      parsed.convertFromString(token.text, llvm::APFloat::rmNearestTiesToEven);
  if (!status)
    return fail(token.at, llvm::toString(status.takeError()));
  if (parsed.isInfinity())
    return fail(token.at, "found " + printable(token.text) +
                              ", expected a number within float32, up to 3.4028235e38");
  return addLeaf({ScoreOp::Number, parsed.convertToFloat()});
}

std::optional<Operand> Parser::named() {
  const ScoreToken name = token;
  if (const NamedValue *value = findName(namedValues, name.text))
    return addLeaf(value->node);
  advance();
  if (const Function *function = findName(functions, name.text))
    return call(*function, name.at);
  const bool isCall = token.is("(");
  return fail(name.at, "unknown " + Twine(isCall ? "function " : "name ") + shown(name) + "; " +
                           nameAdvice(name.text, isCall));
}

std::optional<Operand> Parser::call(const Function &function, size_t at) {
  if (!token.is("("))
    return unexpected("\"(\" after \"" + function.name + "\"");
  if (!enter())
    return std::nullopt;
  std::optional<std::vector<Operand>> given = arguments();
  --depth;
  if (!given)
    return std::nullopt;
  const unsigned wanted = function.arguments;
  if (given->size() < wanted || (given->size() > wanted && !function.orMore))
    return fail(at, "found " + Twine(given->size()) +
                        (given->size() == 1 ? " argument" : " arguments") + " of \"" +
                        function.name + "\", expected " + Twine(wanted) +
                        (function.orMore ? " or more" : ""));
  llvm::ArrayRef<Operand> rest = *given;
  std::optional<Operand> result = add(function.op, function.name, at, rest.take_front(wanted));
  for (Operand argument : rest.drop_front(wanted))
    if (result)
      result = add(function.op, function.name, at, {*result, argument});
  return result;
}

std::optional<std::vector<Operand>> Parser::arguments() {
  std::vector<Operand> list;
  advance();
  while (!token.is(")") || !list.empty()) {
    std::optional<Operand> argument = binary(OrLevel);
    if (!argument)
      return std::nullopt;
    list.push_back(*argument);
    if (token.is(")"))
      break;
    if (!token.is(","))
      return unexpected("an operator, \",\" or \")\"");
    advance();
  }
  advance();
  return list;
}

std::optional<Operand> Parser::parenthesised() {
  const size_t at = token.at;
  if (!enter())
    return std::nullopt;
  advance();
  std::optional<Operand> inner = binary(OrLevel);
  --depth;
  if (!inner)
    return std::nullopt;
  if (!token.is(")"))
    return unexpected("an operator or \")\"");
  advance();
  return Operand{inner->node, at};
}

} // namespace

llvm::Expected<ScoreExpression> parseScore(StringRef text) {
  if (text.size() > maxScoreBytes)
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "found an expression of " + Twine(text.size()) +
                                       " bytes, expected at most " + Twine(maxScoreBytes));
  return Parser(text).run();
}

} // namespace attune

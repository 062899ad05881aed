//===- ScoreExpressionTest.cpp - What expressions mean --------------===//
#include "frontend/ScoreParser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace attune;

namespace {

/// Names in the order of ScoreOp.
const char *const names[] = {"number", "s",   "b",   "h",   "i",    "j",    "L",     "S",
                             "H",      "D",   "+",   "-",   "*",    "/",    "neg",   "min",
                             "max",    "abs", "exp", "log", "tanh", "sqrt", "where", "<",
                             "<=",     ">",   ">=",  "==",  "!=",   "and",  "or",    "not"};

unsigned operandCount(ScoreOp op) {
  if (op <= ScoreOp::HeadDim)
    return 0;
  if (op == ScoreOp::Where)
    return 3;
  bool unary =
      op == ScoreOp::Negate || (op >= ScoreOp::Abs && op <= ScoreOp::Sqrt) || op == ScoreOp::Not;
  return unary ? 1 : 2;
}

/// `(+ s (* 2 i))`.
std::string show(const ScoreExpression &expression, unsigned position) {
  const ScoreNode &node = expression.nodes[position];
  if (node.op == ScoreOp::Number) {
    std::ostringstream text;
    text << node.number;
    return text.str();
  }
  std::string name = names[static_cast<int>(node.op)];
  if (operandCount(node.op) == 0)
    return name;
  for (unsigned k = 0; k < operandCount(node.op); ++k)
    name += " " + show(expression, node.operands[k]);
  return "(" + name + ")";
}

/// What the parser makes of a text: its structure or its message.
std::string parsed(llvm::StringRef text) {
  llvm::Expected<ScoreExpression> expression = parseScore(text);
  return expression ? show(*expression, expression->nodes.size() - 1)
                    : llvm::toString(expression.takeError());
}

struct Row {
  const char *text, *expected;
};

TEST(ScoreExpression, Precedence) {
  const Row table[] = {
      {"s", "s"},
      {"s + 2 * i", "(+ s (* 2 i))"},
      {"s * 2 + i", "(+ (* s 2) i)"},
      {"(s + 2) * i", "(* (+ s 2) i)"},
      {"-s * i", "(* (neg s) i)"},
      {"s - -i", "(- s (neg i))"},
      {"s / -i", "(/ s (neg i))"},
      {"--s", "(neg (neg s))"},
      {"+s - +i", "(- s i)"},
      {"-+-s", "(neg (neg s))"},
      {"where(i + 1 < j * 2, s, i)", "(where (< (+ i 1) (* j 2)) s i)"},
      {"where(i < j or i > 2 and not j == 3, s, b)",
       "(where (or (< i j) (and (> i 2) (not (== j 3)))) s b)"},
      {"where((i < j or i > 2) and j != 3, s, b)",
       "(where (and (or (< i j) (> i 2)) (!= j 3)) s b)"},
      {"where(not i < j and j < i, s, h)", "(where (and (not (< i j)) (< j i)) s h)"},
      {"where(not not i < j, s, h)", "(where (not (not (< i j))) s h)"},
      {"where(not (i < j and j < i), s, h)", "(where (not (and (< i j) (< j i))) s h)"},
  };
  for (const auto &[text, expected] : table)
    EXPECT_EQ(parsed(text), expected) << text;
}

TEST(ScoreExpression, EqualLevelsGroupFromTheLeft) {
  const Row table[] = {
      {"s - i - j", "(- (- s i) j)"},
      {"s - i + j - b", "(- (+ (- s i) j) b)"},
      {"s / i / j", "(/ (/ s i) j)"},
      {"s / i * j", "(* (/ s i) j)"},
      {"where(i < j and j < s and s < 1, s, h)", "(where (and (and (< i j) (< j s)) (< s 1)) s h)"},
      {"where(i < j or j < s or s < 1, s, h)", "(where (or (or (< i j) (< j s)) (< s 1)) s h)"},
  };
  for (const auto &[text, expected] : table)
    EXPECT_EQ(parsed(text), expected) << text;
}

TEST(ScoreExpression, EveryName) {
  for (const char *name : {"s", "b", "h", "i", "j", "L", "S", "H", "D", "inf"})
    EXPECT_EQ(parsed(name), name);
  EXPECT_EQ(parsed("-inf"), "(neg inf)");
  for (const char *name : {"abs", "exp", "log", "tanh", "sqrt"})
    EXPECT_EQ(parsed(std::string(name) + "(s)"), "(" + std::string(name) + " s)");
  for (const char *name : {"<", "<=", ">", ">=", "==", "!="})
    EXPECT_EQ(parsed("where(s " + std::string(name) + " 1, s, h)"),
              "(where (" + std::string(name) + " s 1) s h)");
  EXPECT_EQ(parsed("min(s, i)"), "(min s i)");
  EXPECT_EQ(parsed("max(s, i, j, h)"), "(max (max (max s i) j) h)");
  EXPECT_EQ(parsed("min(max(s, -1), 1)"), "(min (max s (neg 1)) 1)");
}

TEST(ScoreExpression, SpaceIsFree) {
  EXPECT_EQ(parsed("where(not(i<j)or(j<i),s,-inf)"),
            "(where (or (not (< i j)) (< j i)) s (neg inf))");
  EXPECT_EQ(parsed("  s\t+\n2\r* i  "), "(+ s (* 2 i))");
  EXPECT_EQ(parsed("min ( s , i )"), "(min s i)");
}

TEST(ScoreExpression, Numbers) {
  const std::pair<const char *, float> table[] = {
      {"0", 0.0f},
      {"1", 1.0f},
      {"0.1", 0.1f},
      {"007", 7.0f},
      {"5.", 5.0f},
      {".5", 0.5f},
      {"1e3", 1000.0f},
      {"1E+3", 1000.0f},
      {"25e-2", 0.25f},
      {".5e1", 5.0f},
      {"2.e0", 2.0f},
      {"3.4028235e38", 3.4028235e38f},
      {"1e-45", 1e-45f},
      {"1e-60", 0.0f},
      {"1e-99999999999999999999", 0.0f},
      // Just above the middle of 1 and the next float: a double is the middle itself.
      {"1.00000005960464477539062500001", 1.00000012f},
      {"1.000000059604644775390625", 1.0f},
      {"340282356779733661637539395458142568447", 3.4028235e38f},
  };
  for (const auto &[text, expected] : table) {
    llvm::Expected<ScoreExpression> expression = parseScore(text);
    ASSERT_TRUE(bool(expression)) << text << ": " << llvm::toString(expression.takeError());
    ASSERT_EQ(expression->nodes.size(), 1u) << text;
    EXPECT_EQ(expression->nodes[0].op, ScoreOp::Number) << text;
    EXPECT_EQ(expression->nodes[0].number, expected) << text;
  }
}

TEST(ScoreExpression, OnlyTheScoreIsTheIdentity) {
  auto isIdentity = [](const char *text) { return llvm::cantFail(parseScore(text)).isIdentity(); };
  EXPECT_TRUE(isIdentity("s"));
  EXPECT_TRUE(isIdentity("+(s)"));
  EXPECT_FALSE(isIdentity("i"));
  EXPECT_FALSE(isIdentity("-s"));
  EXPECT_FALSE(isIdentity("s + s"));
}

/// Every operand stands before its operation and has the type that the operation takes.
void expectWellFormed(const ScoreExpression &expression) {
  ASSERT_FALSE(expression.nodes.empty());
  EXPECT_FALSE(isCondition(expression.nodes.back().op));
  for (auto [position, node] : llvm::enumerate(expression.nodes))
    for (unsigned k = 0; k < operandCount(node.op); ++k) {
      ASSERT_LT(node.operands[k], position);
      EXPECT_EQ(isCondition(expression.nodes[node.operands[k]].op), takesCondition(node.op, k));
    }
}

/// A message, and two lines that show the place.
void expectReadable(const std::string &message) {
  EXPECT_TRUE(llvm::json::isUTF8(message));
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(message).split(lines, '\n');
  ASSERT_EQ(lines.size(), 3u) << message;
  for (llvm::StringRef line : lines) {
    EXPECT_LT(line.size(), 500u);
    for (char c : line)
      EXPECT_FALSE(uint8_t(c) < 0x20 || c == 0x7f) << message;
  }
  EXPECT_TRUE(lines[2].ltrim(' ') == "^") << message;
  EXPECT_LE(lines[2].size(), lines[1].size() + 1) << message;
}

TEST(ScoreExpression, RandomTextNeverCrashes) {
  constexpr unsigned seed = 20260301;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const char *const words[] = {
      "s",  "i", "j",  "h",    "L",    "inf",          "1.5", "2e3",    "+",
      "-",  "*", "/",  "<",    "==",   "!=",           "and", "or",     "not",
      "(",  "(", ")",  ")",    "min(", "abs(",         ",",   "where(", " ",
      "\t", "k", "&&", "\xff", "\xe2", "\xe2\x88\x92", ".",   "1e",     "\x1b"};
  int accepted = 0;
  for (int round = 0; round < 30000; ++round) {
    std::string text;
    for (unsigned length = 1 + random() % 16; length > 0; --length)
      text += words[random() % std::size(words)];
    SCOPED_TRACE(text);
    llvm::Expected<ScoreExpression> expression = parseScore(text);
    if (expression) {
      ++accepted;
      expectWellFormed(*expression);
    } else {
      expectReadable(llvm::toString(expression.takeError()));
    }
  }
  EXPECT_GT(accepted, 300);
}

} // namespace

//===- ScoreErrorTest.cpp - Refused score expressions and their carets ----===//
#include "frontend/ScoreExcerpt.h"
#include "frontend/ScoreParser.h"
#include <gtest/gtest.h>

using namespace attune;

namespace {

/// The message for a text; "" when it is accepted.
std::string messageOf(llvm::StringRef text) {
  llvm::Expected<ScoreExpression> expression = parseScore(text);
  return expression ? "" : llvm::toString(expression.takeError());
}

struct Row {
  const char *text, *expected;
};

TEST(ScoreError, UnknownNames) {
  const Row table[] = {
      {"s + 0.1 * (k - i)", "unknown name \"k\"; expected one of s, b, h, i, j, L, S, H, D, inf\n"
                            "  s + 0.1 * (k - i)\n"
                            "             ^"},
      {"s + I", "unknown name \"I\"; did you mean \"i\"?\n"
                "  s + I\n"
                "      ^"},
      {"l - s", "unknown name \"l\"; did you mean \"L\"?\n"
                "  l - s\n"
                "  ^"},
      {"Inf", "unknown name \"Inf\"; did you mean \"inf\"?\n"
              "  Inf\n"
              "  ^"},
      {"s + tan(s)", "unknown function \"tan\"; did you mean \"tanh\"?\n"
                     "  s + tan(s)\n"
                     "      ^"},
      {"s + pow(s, 2)", "unknown function \"pow\"; expected one of min, max, abs, exp, log, tanh, "
                        "sqrt, where\n"
                        "  s + pow(s, 2)\n"
                        "      ^"},
      {"2 * alpha", "unknown name \"alpha\"; expected one of s, b, h, i, j, L, S, H, D, inf\n"
                    "  2 * alpha\n"
                    "      ^"},
      {"NOT(s)", "unknown function \"NOT\"; did you mean \"not\"?\n"
                 "  NOT(s)\n"
                 "  ^"},
      {"s_1", "unknown name \"s_1\"; expected one of s, b, h, i, j, L, S, H, D, inf\n"
              "  s_1\n"
              "  ^"},
  };
  for (const auto &[text, expected] : table)
    EXPECT_EQ(messageOf(text), expected) << text;
}

TEST(ScoreError, WrongSyntax) {
  const Row table[] = {
      {"", "found the end of the expression, expected a value\n"
           "  \n"
           "  ^"},
      {"s +  ", "found the end of the expression, expected a value\n"
                "  s +  \n"
                "     ^"},
      {"s s", "found \"s\", expected an operator or the end\n"
              "  s s\n"
              "    ^"},
      {"2s", "found \"s\", expected an operator or the end\n"
             "  2s\n"
             "   ^"},
      {"1e + s", "found \"e\", expected an operator or the end\n"
                 "  1e + s\n"
                 "   ^"},
      {"1.5.2", "found \".2\", expected an operator or the end\n"
                "  1.5.2\n"
                "     ^"},
      {"s + .", "found \".\", expected a value\n"
                "  s + .\n"
                "      ^"},
      {"s)", "found \")\", expected an operator or the end\n"
             "  s)\n"
             "   ^"},
      {"(s + i", "found the end of the expression, expected an operator or \")\"\n"
                 "  (s + i\n"
                 "        ^"},
      {"(s, i)", "found \",\", expected an operator or \")\"\n"
                 "  (s, i)\n"
                 "    ^"},
      {"()", "found \")\", expected a value\n"
             "  ()\n"
             "   ^"},
      {"min(s i)", "found \"i\", expected an operator, \",\" or \")\"\n"
                   "  min(s i)\n"
                   "        ^"},
      {"min(s,)", "found \")\", expected a value\n"
                  "  min(s,)\n"
                  "        ^"},
      {"min(,s)", "found \",\", expected a value\n"
                  "  min(,s)\n"
                  "      ^"},
      {"abs s", "found \"s\", expected \"(\" after \"abs\"\n"
                "  abs s\n"
                "      ^"},
      {"s + exp", "found the end of the expression, expected \"(\" after \"exp\"\n"
                  "  s + exp\n"
                  "         ^"},
      {"s(1)", "found \"(\", expected an operator or the end\n"
               "  s(1)\n"
               "   ^"},
      {"s ** 2", "found \"*\", expected a value\n"
                 "  s ** 2\n"
                 "     ^"},
      {"s + and", "found \"and\", expected a value\n"
                  "  s + and\n"
                  "      ^"},
      {"s ? 1 : 2", "found \"?\", expected an operator or the end\n"
                    "  s ? 1 : 2\n"
                    "    ^"},
      {"where(i < j && s < 1, s, h)", "found \"&&\", expected \"and\"\n"
                                      "  where(i < j && s < 1, s, h)\n"
                                      "              ^"},
      {"where(i < j | s < 1, s, h)", "found \"|\", expected \"or\"\n"
                                     "  where(i < j | s < 1, s, h)\n"
                                     "              ^"},
      {"where(!(i < j), s, h)", "found \"!\", expected \"not\"\n"
                                "  where(!(i < j), s, h)\n"
                                "        ^"},
      {"where(i = j, s, h)", "found \"=\", expected \"==\"\n"
                             "  where(i = j, s, h)\n"
                             "          ^"},
      {"where(0 < i < j, s, h)", "comparisons cannot be chained; write \"x < y and y < z\"\n"
                                 "  where(0 < i < j, s, h)\n"
                                 "              ^"},
      {"where(0 <= i + 1 == j, s, h)", "comparisons cannot be chained; write \"x < y and y < z\"\n"
                                       "  where(0 <= i + 1 == j, s, h)\n"
                                       "                   ^"},
      {"abs()", "found 0 arguments of \"abs\", expected 1\n"
                "  abs()\n"
                "  ^"},
      {"1 + abs(s, i)", "found 2 arguments of \"abs\", expected 1\n"
                        "  1 + abs(s, i)\n"
                        "      ^"},
      {"max(s)", "found 1 argument of \"max\", expected 2 or more\n"
                 "  max(s)\n"
                 "  ^"},
      {"where(i < j, s)", "found 2 arguments of \"where\", expected 3\n"
                          "  where(i < j, s)\n"
                          "  ^"},
      {"s * 3.5e38", "found 3.5e38, expected a number within float32, up to 3.4028235e38\n"
                     "  s * 3.5e38\n"
                     "      ^"},
      {"1e999999999999", "found 1e999999999999, expected a number within float32, up to "
                         "3.4028235e38\n"
                         "  1e999999999999\n"
                         "  ^"},
  };
  for (const auto &[text, expected] : table)
    EXPECT_EQ(messageOf(text), expected) << text;
}

TEST(ScoreError, WrongTypes) {
  const Row table[] = {
      {"i < j", "found a condition, expected a number as the score; where(condition, x, y) makes "
                "one of a condition\n"
                "  i < j\n"
                "  ^"},
      {"s + (i < j)", "found a condition, expected a number for \"+\"\n"
                      "  s + (i < j)\n"
                      "      ^"},
      {"(i < j) * s", "found a condition, expected a number for \"*\"\n"
                      "  (i < j) * s\n"
                      "  ^"},
      {"s - not i < j", "found a condition, expected a number for \"-\"\n"
                        "  s - not i < j\n"
                        "      ^"},
      {"s + -(i < j)", "found a condition, expected a number for \"-\"\n"
                       "  s + -(i < j)\n"
                       "       ^"},
      {"s + +(i < j)", "found a condition, expected a number for \"+\"\n"
                       "  s + +(i < j)\n"
                       "       ^"},
      {"abs(i < j)", "found a condition, expected a number for \"abs\"\n"
                     "  abs(i < j)\n"
                     "      ^"},
      {"min(s, i, j == 1)", "found a condition, expected a number for \"min\"\n"
                            "  min(s, i, j == 1)\n"
                            "            ^"},
      {"where((i < j) < j, s, h)", "found a condition, expected a number for \"<\"\n"
                                   "  where((i < j) < j, s, h)\n"
                                   "        ^"},
      {"where(i < j and s, s, h)", "found a number, expected a condition for \"and\"\n"
                                   "  where(i < j and s, s, h)\n"
                                   "                  ^"},
      {"where(s + 1 or i < j, s, h)", "found a number, expected a condition for \"or\"\n"
                                      "  where(s + 1 or i < j, s, h)\n"
                                      "        ^"},
      {"where(not s, s, h)", "found a number, expected a condition for \"not\"\n"
                             "  where(not s, s, h)\n"
                             "            ^"},
      {"where(s, s, h)", "found a number, expected a condition for \"where\"\n"
                         "  where(s, s, h)\n"
                         "        ^"},
      {"where(i < j, s, i > j)", "found a condition, expected a number for \"where\"\n"
                                 "  where(i < j, s, i > j)\n"
                                 "                  ^"},
  };
  for (const auto &[text, expected] : table)
    EXPECT_EQ(messageOf(text), expected) << text;
}

std::string repeated(llvm::StringRef text, int count) {
  std::string result;
  for (int k = 0; k < count; ++k)
    result += text;
  return result;
}

TEST(ScoreError, DepthIsLimited) {
  for (const auto &[open, close] : {std::pair("(", ")"), {"-", ""}, {"abs(", ")"}, {"+", ""}}) {
    auto nested = [&](int depth) {
      return messageOf(repeated(open, depth) + "s" + repeated(close, depth));
    };
    EXPECT_EQ(nested(64).find("nested"), std::string::npos) << open;
    EXPECT_EQ(
        nested(65).find("parentheses, calls, signs and \"not\" are nested more than 64 deep\n"), 0u)
        << open;
  }
  EXPECT_NE(messageOf("where(" + repeated("not ", 64) + "i < j, s, h)").find("nested"),
            std::string::npos);
  EXPECT_EQ(messageOf("where(" + repeated("not ", 63) + "i < j, s, h)").find("nested"),
            std::string::npos);
  // Side by side is not nested.
  EXPECT_EQ(messageOf(repeated("(s) + ", 100) + "s").find("nested"), std::string::npos);
}

TEST(ScoreError, LengthIsLimited) {
  EXPECT_EQ(messageOf(repeated("(", 10000)),
            "found an expression of 10000 bytes, expected at most 1024");
  EXPECT_EQ(messageOf(std::string(1023, ' ') + "s"), "");
  EXPECT_EQ(messageOf(std::string(1024, ' ') + "s"),
            "found an expression of 1025 bytes, expected at most 1024");
  EXPECT_EQ(llvm::cantFail(parseScore("s" + repeated("+1", 511))).nodes.size(), 1023u);
}

TEST(ScoreError, CaretsCountCharacters) {
  const Row table[] = {
      {"s + \xc3\xa9 + k", "found \"\xc3\xa9\", expected a value\n"
                           "  s + \xc3\xa9 + k\n"
                           "      ^"},
      {"s \xe2\x88\x92 i", "found \"\xe2\x88\x92\", expected an operator or the end\n"
                           "  s \xe2\x88\x92 i\n"
                           "    ^"},
      {"s +\t\n\r k", "unknown name \"k\"; expected one of s, b, h, i, j, L, S, H, D, inf\n"
                      "  s +    k\n"
                      "         ^"},
      {"s \x1b[1m", "found \"\\u001b\", expected an operator or the end\n"
                    "  s \xef\xbf\xbd[1m\n"
                    "    ^"},
      {"s \xff", "found \"\xef\xbf\xbd\", expected an operator or the end\n"
                 "  s \xef\xbf\xbd\n"
                 "    ^"},
  };
  for (const auto &[text, expected] : table)
    EXPECT_EQ(messageOf(text), expected) << text;
  EXPECT_EQ(excerptWithCaret("\xc3\xa9\t\xe2\x88\x92 k", 7), "  \xc3\xa9 \xe2\x88\x92 k\n"
                                                             "      ^");
}

TEST(ScoreError, LongTextIsCutAroundTheCaret) {
  std::string text = repeated("0123456789", 30);
  EXPECT_EQ(excerptWithCaret(text, 2),
            "  " + text.substr(0, 100) + "...\n" + std::string(4, ' ') + "^");
  EXPECT_EQ(excerptWithCaret(text, 150),
            "  ..." + text.substr(100, 100) + "...\n" + std::string(55, ' ') + "^");
  EXPECT_EQ(excerptWithCaret(text, 300),
            "  ..." + text.substr(200, 100) + "\n" + std::string(105, ' ') + "^");
}

} // namespace

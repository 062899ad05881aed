//===- ConfigHostileTest.cpp - Broken and hostile text --------------------===//
#include "frontend/Config.h"
#include "frontend/JsonReader.h"
#include "llvm/Support/JSON.h"
#include <gtest/gtest.h>
#include <random>

using namespace attune;

namespace {

const std::string goodText = R"({
  "name": "heads",
  "op": "multihead_attention",
  "module": {"embed_dim": 8, "num_heads": 2, "dropout": 0.5, "kdim": null},
  "forward": {"batch": 3, "attn_mask": "bool_2d", "is_causal": true, "need_weights": false}
})";

/// The message, which must be there, short, valid UTF-8 and free of control characters; "" when the
/// text is accepted.
std::string messageOf(llvm::StringRef text) {
  llvm::Expected<Config> config = parseConfig(text, "h.json");
  if (config)
    return "";
  std::string message = llvm::toString(config.takeError());
  EXPECT_TRUE(llvm::StringRef(message).starts_with("h.json")) << message;
  EXPECT_TRUE(llvm::json::isUTF8(message));
  EXPECT_LT(message.size(), 600u);
  for (char c : message)
    EXPECT_FALSE(uint8_t(c) < 0x20 || c == 0x7f) << message;
  return message;
}

TEST(ConfigHostile, EveryTruncationIsAnError) {
  ASSERT_EQ(messageOf(goodText), "");
  for (size_t length = 0; length < goodText.size(); ++length)
    EXPECT_NE(messageOf(llvm::StringRef(goodText).take_front(length)), "") << length;
}

TEST(ConfigHostile, TextAfterTheEndIsAnError) {
  EXPECT_EQ(messageOf(goodText + " \n\t"), "");
  EXPECT_NE(messageOf(goodText + "}"), "");
  EXPECT_NE(messageOf(goodText + std::string("\0rest", 5)), "");
}

TEST(ConfigHostile, DeepNesting) {
  for (const char *open : {"[", "{\"a\":", "[{\"a\":"})
    for (size_t depth : {15, 16, 17, 1000, 100000}) {
      std::string text;
      for (size_t i = 0; i < depth; ++i)
        text += open;
      EXPECT_NE(messageOf(text), "");
      EXPECT_NE(messageOf("{\"module\": " + text), "");
    }
}

TEST(ConfigHostile, HugeTokens) {
  for (size_t size : {200, 100000, 1 << 20, (1 << 20) + 1, 3 << 20}) {
    std::string digits(size, '9'), word(size, 'x');
    EXPECT_NE(messageOf("{\"module\": {\"embed_dim\": " + digits + "}}"), "");
    EXPECT_NE(messageOf("{\"module\": {\"embed_dim\": -" + digits + "}}"), "");
    EXPECT_NE(messageOf("{\"module\": {\"dropout\": 0." + digits + "}}"), "");
    EXPECT_NE(messageOf("{\"module\": {\"dropout\": 1e" + digits + "}}"), "");
    EXPECT_NE(messageOf("{\"op\": \"" + word + "\"}"), "");
    EXPECT_NE(messageOf("{\"" + word + "\": 1}"), "");
    EXPECT_NE(messageOf("\"" + word), "");
    EXPECT_NE(messageOf(std::string(size, ' ')), "");
  }
}

TEST(ConfigHostile, ManyKeys) {
  std::string text = "{";
  for (int i = 0; i < 50000; ++i)
    text += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_NE(messageOf(text + "\"k0\":1}"), "");
}

TEST(ConfigHostile, InvalidUtf8) {
  for (const char *bytes : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_NE(messageOf(std::string("{\"name\": \"") + bytes + "\"}"), "");
    EXPECT_NE(messageOf(std::string("{\"") + bytes + "\": 1}"), "");
    EXPECT_NE(messageOf(bytes), "");
  }
  // A cut through a long text must not leave half a character.
  std::string name;
  for (int i = 0; i < 100; ++i)
    name += "\xe2\x82\xac";
  EXPECT_NE(messageOf("{\"name\": \"" + name + "\"}"), "");
  EXPECT_NE(messageOf("{\"name\": \"x" + name + "\"}"), "");
}

TEST(ConfigHostile, RandomDamageNeverCrashes) {
  constexpr unsigned seed = 20250131;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string marks = "{}[]\",:\\0123456789.eE+-truefalsn \n\xff\x80";
  for (int round = 0; round < 20000; ++round) {
    std::string text = goodText;
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      size_t at = random() % text.size();
      char mark = marks[random() % marks.size()];
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 8);
      else if (random() % 2 == 0)
        text.insert(at, 1, mark);
      else
        text[at] = mark;
      if (text.empty())
        text = "{";
    }
    messageOf(text);
  }
}

TEST(JsonReader, KnowsLinesAndShapes) {
  auto members =
      readJsonObject("{\"a\": 1,\n\n\"b\"\n: {\"c\": [1, {\"d\": 2}],\n \"e\": \"x\"}}", "j.json");
  ASSERT_TRUE(bool(members)) << llvm::toString(members.takeError());
  std::string text;
  for (const JsonMember &member : *members)
    text += member.path + "@" + std::to_string(member.line) + "=" + member.shown + ";";
  EXPECT_EQ(text, "a@1=1;b@3=an object;b.c@4=an array;b.e@5=\"x\";");
}

TEST(JsonReader, ReadsValues) {
  EXPECT_EQ(readJsonValue("1e3")->shown, "1e3");
  EXPECT_EQ(std::get<int64_t>(readJsonValue("-9223372036854775808")->scalar), INT64_MIN);
  EXPECT_EQ(std::get<std::string>(readJsonValue("\"a\\u0062\"")->scalar), "ab");
  EXPECT_FALSE(readJsonValue("word").has_value());
  EXPECT_FALSE(readJsonValue("").has_value());
  EXPECT_FALSE(readJsonValue("1 2").has_value());
}

} // namespace

//===- main.cpp - names the types of files ----------------------------------===//
//
//   magika magika.dsc labels.txt FILE...
//
// All files go through the model as one batch: the artifact was compiled once, for
// any number of files.
//
//===----------------------------------------------------------------------===//
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "Features.h"
#include "common/Arguments.h"

using namespace examples;

/// A class of the model, from a line "label threshold output generic" of labels.txt.
struct Label {
  std::string name;
  float threshold;     ///< a score below it is not believed:
  std::string output;  ///< what to answer if it is,
  std::string generic; ///< and what if it is not ("txt" or "unknown")
};

static std::vector<Label> readLabels(const std::string &path) {
  std::ifstream file(path);
  std::vector<Label> labels;
  for (Label label; file >> label.name >> label.threshold >> label.output >> label.generic;)
    labels.push_back(label);
  if (labels.empty())
    throw std::runtime_error("no labels in " + path);
  return labels;
}

/// Runs the model over `count` files' tokens; returns one row of scores for each.
static std::vector<std::vector<float>>
classify(Session &session, const std::vector<int32_t> &tokens, size_t labelCount) {
  int64_t count = tokens.size() / kTokens;
  session.setInput(0, tokens, {count, kTokens});
  session.run();
  dsc::TensorView scores = session.output();
  if (dimsOf(scores) != Dims{count, static_cast<int64_t>(labelCount)})
    throw std::runtime_error("the labels do not belong to this model");
  std::vector<std::vector<float>> rows;
  rows.reserve(count);
  const float *row = scores.as<float>().data();
  for (int64_t i = 0; i < count; ++i, row += labelCount)
    rows.emplace_back(row, row + labelCount);
  return rows;
}

static int nameTypes(const Arguments &arguments) {
  std::vector<Label> labels = readLabels(arguments.positional[1]);
  Session session(arguments.positional[0], arguments.session);

  std::vector<std::string> paths(arguments.positional.begin() + 2, arguments.positional.end());
  std::vector<int32_t> batch;
  std::vector<bool> isInBatch;
  for (const std::string &path : paths) {
    std::optional<Tokens> tokens = readTokens(path);
    isInBatch.push_back(tokens.has_value());
    if (tokens)
      batch.insert(batch.end(), tokens->begin(), tokens->end());
  }
  std::vector<std::vector<float>> scores;
  if (!batch.empty())
    scores = classify(session, batch, labels.size());

  auto row = scores.begin();
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!isInBatch[i]) {
      std::printf("%s: too short\n", paths[i].c_str());
      continue;
    }
    size_t best = std::max_element(row->begin(), row->end()) - row->begin();
    float score = (*row++)[best];
    const Label &label = labels[best];
    const std::string &answer = score >= label.threshold ? label.output : label.generic;
    std::printf("%s: %s %.3f\n", paths[i].c_str(), answer.c_str(), score);
  }
  return 0;
}

int main(int argc, char **argv) {
  return runMain(argc, argv, 3, "MODEL.dsc LABELS.txt FILE...", nameTypes);
}

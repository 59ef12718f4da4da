// iam.mjs: what AWS's rules of evaluation give for a request, by @cloud-copilot/iam-simulate. usage: iam.mjs MODULE <JSON: simulations >JSON: results.
// A policy that is not well formed counts as "Malformed".
import fs from "node:fs";
const { runSimulation } = await import(process.argv[2]);
const results = [];
for (const simulation of JSON.parse(fs.readFileSync(0, "utf8"))) {
  const answer = await runSimulation(simulation, {});
  results.push(answer.resultType === "error" ? "Malformed" : answer.overallResult);
}
process.stdout.write(JSON.stringify(results));

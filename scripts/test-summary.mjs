// Prints the totals of a vitest JSON report as one line; fails when a test was skipped, because CI has every tool.
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
const count = (...statuses) => results.filter(({ status }) => statuses.includes(status)).length;
const skipped = results.filter(({ status }) => ["skipped", "pending", "todo"].includes(status));
for (const { fullName } of skipped) console.error(`skipped: ${fullName}`);
console.log(`tests: ${count("passed")} passed, ${count("failed")} failed, ${skipped.length} skipped`);
process.exit(skipped.length > 0 || !report.success ? 1 : 0);

// The same clauses in cql-execution (the CQL engine in JavaScript), timed: node peer.js FOLDER < work.json
// FOLDER holds node_modules. Reads {elm: {name: library}, bundles, valueSet, rounds}; prints {name: {seconds, values}}.
'use strict';
const path = require('path');
const { createRequire } = require('module');
const load = createRequire(path.join(process.argv[2], 'index.js'));
const cql = load('cql-execution');
const fhir = load('cql-exec-fhir');

function processorSeconds() {
  const used = process.cpuUsage();
  return (used.user + used.system) / 1e6;
}

async function main() {
  const work = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const codes = new cql.CodeService({ [work.valueSet.url]: { '': work.valueSet.codes } });
  const period = new cql.Interval(new cql.Date(2023, 1, 1), new cql.Date(2023, 12, 31));
  const found = {};
  for (const [name, elm] of Object.entries(work.elm)) {
    const executor = new cql.Executor(new cql.Library(elm), codes, { Period: period });
    let seconds = Infinity;
    let values;
    for (let round = 0; round < work.rounds; round++) {
      const source = fhir.PatientSource.FHIRv401();
      source.loadBundles(work.bundles);
      const began = processorSeconds();
      const results = await executor.exec(source);
      seconds = Math.min(seconds, processorSeconds() - began);
      values = Object.values(results.patientResults).map(result => result[name]);
    }
    found[name] = { seconds, values: values.map(value => (Array.isArray(value) ? value.length : value)) };
  }
  process.stdout.write(JSON.stringify(found));
}

main().catch(error => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

if (Number(process.versions.node.split('.')[0]) < 26) {
  console.error(`vic-machine needs Node.js 26 or newer; this is ${process.version}. In the repository, use ./vic.`);
  process.exit(1);
}

const { processTerminal, runCommandLine } = await import('@vic/cli');
const { vicMachine } = await import('./program.ts');

const interrupted = new AbortController();
// The first signal undoes what was made so far; a second one ends the program at once.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
}
const terminal = processTerminal(process.env, interrupted.signal);
process.exitCode = await runCommandLine(vicMachine, process.argv.slice(2), terminal);

export {};

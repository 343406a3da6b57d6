if (Number(process.versions.node.split('.')[0]) < 26) {
  console.error(
    `registry needs Node.js 26 or newer; this is ${process.version}. In the repository, use ./vic registry.`,
  );
  process.exit(1);
}

const { processTerminal, runCommandLine } = await import('@vic/cli');
const { registryProgram } = await import('./program.ts');

const interrupted = new AbortController();
// The first signal stops in order; a second one ends the program at once.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
}
const terminal = processTerminal(process.env, interrupted.signal);
process.exitCode = await runCommandLine(registryProgram, process.argv.slice(2), terminal);

export {};

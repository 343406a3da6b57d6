import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './program.ts';

/** Builds the tether and gives the path of the program; the same sources and toolchain give the same bytes. */
export function buildTether(sources: string, target: string): string {
  const cargoHome = process.env['CARGO_HOME'] ?? join(homedir(), '.cargo');
  const flags = [
    ...['-C', 'target-feature=+crt-static'],
    `--remap-path-prefix=${sources}=/tether`,
    `--remap-path-prefix=${target}=/target`,
    `--remap-path-prefix=${cargoHome}=/cargo`,
  ];
  runProgram(cargo(), ['build', '--release', '--locked', '--quiet', '--manifest-path', join(sources, 'Cargo.toml')], {
    env: { CARGO_TARGET_DIR: target, CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') },
  });
  return join(target, 'release/tether');
}

/** Which compiler builds the tether: part of what the image is made from. */
export function compilerVersion(): string {
  return runProgram(cargo(), ['--version']).trim();
}

/** The cargo of the PATH, or that of rustup where the PATH does not have it. */
export function cargo(): string {
  const rustup = join(homedir(), '.cargo/bin/cargo');
  return existsSync(rustup) ? rustup : 'cargo';
}

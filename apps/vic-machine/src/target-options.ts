import { readFile } from 'node:fs/promises';
import type { CommandContext, OptionSpecs, OptionValues } from '@vic/cli';
import { VicError } from '@vic/errors';
import { silentLogger } from '@vic/log';
import { parseTarget, targetUrl } from '@vic/vch';
import type { Target } from '@vic/vch';
import { VimClient, probeThumbprint } from '@vic/vim-client';

/** Options that every command which talks to a server has. */
export const TARGET_OPTIONS = {
  target: {
    kind: 'text',
    short: 't',
    placeholder: 'host[:port][/datacenter]',
    description: 'Address of the vCenter Server, ESXi host or hostd',
    environment: 'VIC_MACHINE_TARGET',
  },
  user: { kind: 'text', short: 'u', description: 'vSphere user', environment: 'VIC_MACHINE_USER' },
  password: {
    kind: 'text',
    short: 'p',
    description: 'Password of the user; asked for when not given. Prefer --password-file',
    environment: 'VIC_MACHINE_PASSWORD',
  },
  'password-file': { kind: 'text', placeholder: 'file', description: 'File that holds the password of the user' },
  thumbprint: {
    kind: 'text',
    description: "SHA-1 or SHA-256 thumbprint of the server's certificate",
    environment: 'VIC_MACHINE_THUMBPRINT',
  },
  'compute-resource': {
    kind: 'text',
    short: 'r',
    description: 'Cluster, host or resource pool',
    defaultText: 'the only one there is',
  },
  timeout: { kind: 'text', placeholder: 'time', description: 'How long it may take', defaultText: '3m' },
  force: { kind: 'flag', short: 'f', description: "Trust the server's certificate, and go on where asked to confirm" },
  debug: { kind: 'number', short: 'v', description: 'Level of detail in logs' },
} as const satisfies OptionSpecs;

/** A session with the server that the options name. */
export interface Session extends AsyncDisposable {
  readonly client: VimClient;
  readonly target: Target;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly thumbprint: string;
}

/** Connects as the options say; the server's certificate must be pinned or trusted by `--force`. */
export async function connect(options: OptionValues<typeof TARGET_OPTIONS>, context: CommandContext): Promise<Session> {
  const target = parseTarget(options.target);
  const user = options.user ?? target.user;
  if (user === undefined || user === '') {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'VIC_MACHINE_NO_USER',
      message: 'vSphere user must be specified, either with --user or as part of --target.',
    });
  }
  const thumbprint = await trustedThumbprint(options, target, context);
  const password = await passwordOf(options, target, user, context);
  const url = targetUrl(target);
  const client = await VimClient.connect({
    url,
    user,
    password,
    thumbprint,
    logger: silentLogger(),
    signal: context.signal,
  });
  return {
    client,
    target,
    url,
    user,
    password,
    thumbprint,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function trustedThumbprint(
  options: OptionValues<typeof TARGET_OPTIONS>,
  { host, port }: Target,
  context: CommandContext,
): Promise<string> {
  if (options.thumbprint !== undefined) return options.thumbprint;
  const { sha256 } = await probeThumbprint(host, port, context.signal);
  if (options.force) return sha256;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'VIC_MACHINE_UNKNOWN_CERTIFICATE',
    message: `Failed to verify certificate for target=${host}:${port} (thumbprint=${sha256}).`,
    remedy: 'Compare the thumbprint with that of the server, then give it as --thumbprint; --force trusts it unseen.',
  });
}

async function passwordOf(
  options: OptionValues<typeof TARGET_OPTIONS>,
  target: Target,
  user: string,
  context: CommandContext,
): Promise<string> {
  const file = options['password-file'];
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new VicError({
        class: 'InvalidArgument',
        code: 'VIC_MACHINE_NO_PASSWORD_FILE',
        message: `The password file ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
        remedy: 'Give another --password-file, or leave it out and be asked.',
        cause,
      });
    });
    return text.replace(/\r?\n$/, '');
  }
  return options.password ?? target.password ?? context.askSecret(`Password for ${user}: `);
}

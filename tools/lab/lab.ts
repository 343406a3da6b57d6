import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pollUntil } from '@vic/async';
import { run } from '@vic/process';
import { Daemon } from './daemon.ts';
import { Docker, type DockerEnvironment } from './docker.ts';
import { type ImageRecipe, buildImage } from './images/index.ts';
import { installProgram } from './install-program.ts';
import { sourcesDigest } from './sources-digest.ts';
import { LAB_PROJECT, accepts, pushImage, registryCommand, registryFiles } from './registry.ts';

const root = dirname(dirname(import.meta.dirname));
const NODE = join(root, 'node_modules/.bin/node');

/** Software emulation on a busy machine: starting a VCH boots an endpoint and a template. */
const VCH_TIMEOUT = '10m';
const READY_TIMEOUT_MS = 180_000;
const REGISTRY_PORT = 5000;
const FIRST_VCH_ADDRESS = 10;

/** What hostd writes when it is ready. */
export interface HostdReady {
  readonly address: string;
  readonly port: number;
  readonly gateway: string;
  readonly namespace: string;
  readonly thumbprint: string;
  readonly user: string;
  readonly passwordFile: string;
  readonly pid: number;
}

/**
 * A host, a registry and a VCH on this machine, for first steps, end-to-end tests and benchmarks.
 *
 * Everything is below one directory and named by one instance; {@link Lab.down} removes it all.
 */
export class Lab {
  readonly instance: string;
  readonly directory: string;
  readonly #hostd: Daemon;
  readonly #registry: Daemon;

  constructor(instance: string, directory: string) {
    this.instance = instance;
    this.directory = directory;
    this.#hostd = new Daemon(directory, 'hostd');
    this.#registry = new Daemon(directory, 'registry');
  }

  /** Starts hostd unless it runs, and waits until its API answers. */
  async startHostd(): Promise<HostdReady> {
    // What runs keeps the programs it was started with: they have to fit each other.
    if (!(await this.#hostd.isRunning())) await this.#startHostd();
    return pollUntil(() => this.readHostd(), 100, AbortSignal.timeout(READY_TIMEOUT_MS));
  }

  async #startHostd(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o755 });
    await run(NODE, [join(root, 'guest/image/build.ts')], {
      timeoutMs: 600_000,
      env: { PATH: process.env['PATH'] ?? '' },
    });
    const endpoint = await installProgram('vch-endpoint', join(this.directory, 'programs'));
    await writeFile(this.#hostdConfiguration, JSON.stringify(this.#configuration(endpoint), undefined, 2));
    const command = [NODE, join(root, 'apps/hostd/src/main.ts'), 'run', '--config', this.#hostdConfiguration];
    await rm(this.#readyFile, { force: true });
    await writeFile(this.#sourcesFile, await sourcesDigest());
    await this.#hostd.start(command);
  }

  /** Whether what runs here was started from other sources than there are now. */
  async isOutdated(): Promise<boolean> {
    return (await readFile(this.#sourcesFile, 'utf8').catch(() => undefined)) !== (await sourcesDigest());
  }

  /** What hostd said when it became ready; `undefined` while its API does not answer. */
  async readHostd(): Promise<HostdReady | undefined> {
    const text = await readFile(this.#readyFile, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const ready = JSON.parse(text) as HostdReady;
    return (await accepts(ready.address, ready.port)) && ready;
  }

  /** Starts a registry on this machine's address on `VM Network`; gives its `host:port`. */
  async startRegistry(): Promise<string> {
    const { gateway } = await this.#runningHostd();
    await mkdir(this.#registryDirectory, { recursive: true, mode: 0o700 });
    await this.#registry.start(registryCommand(this.#registryDirectory, gateway, REGISTRY_PORT));
    // A new registry makes its administrator once it listens.
    const { password } = this.registryFiles;
    const isReady = async (): Promise<true | undefined> =>
      existsSync(password) ? accepts(gateway, REGISTRY_PORT) : undefined;
    await pollUntil(isReady, 50, AbortSignal.timeout(READY_TIMEOUT_MS));
    return `${gateway}:${REGISTRY_PORT}`;
  }

  /** Where the registry keeps what its clients need. */
  get registryFiles(): ReturnType<typeof registryFiles> {
    return registryFiles(this.#registryDirectory);
  }

  /** Builds an image unless cached and puts it in the lab's registry; gives the reference to pull it by. */
  async push(recipe: ImageRecipe): Promise<string> {
    const { gateway } = await this.#runningHostd();
    const reference = imageReference(gateway, recipe);
    await pushImage(await buildImage(recipe), reference, this.#registryDirectory);
    return reference;
  }

  /** What {@link push} names an image. */
  async referenceOf(recipe: ImageRecipe): Promise<string> {
    return imageReference((await this.#runningHostd()).gateway, recipe);
  }

  /** Creates the VCH unless it is there, at address `.lastOctet`; gives the environment that points docker at it. */
  async createVch(name: string, lastOctet = FIRST_VCH_ADDRESS): Promise<DockerEnvironment> {
    const hostd = await this.#runningHostd();
    const certificates = join(this.directory, 'certificates', name);
    const address = hostd.gateway.replace(/\d+$/, String(lastOctet));
    if (!(await this.hasVch(name))) {
      await rm(certificates, { recursive: true, force: true });
      await this.vicMachine('create', [
        '--name',
        name,
        '--timeout',
        VCH_TIMEOUT,
        '--bootstrap-iso',
        join(root, 'build/guest/bootstrap.iso'),
        '--public-network',
        'VM Network',
        '--public-network-ip',
        `${address}/24`,
        '--public-network-gateway',
        hostd.gateway,
        '--tls-cname',
        address,
        '--tls-cert-path',
        certificates,
        '--registry-ca',
        registryFiles(this.#registryDirectory).authority,
      ]);
    }
    return { DOCKER_HOST: `tcp://${address}:2376`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates };
  }

  /** Whether the VCH exists. */
  async hasVch(name: string): Promise<boolean> {
    const list = JSON.parse(await this.vicMachine('ls', ['--json'])) as readonly { readonly name: string }[];
    return list.some((vch) => vch.name === name);
  }

  /** Runs a vic-machine command against this host; gives its standard output. */
  async vicMachine(command: string, args: readonly string[]): Promise<string> {
    const hostd = await this.#runningHostd();
    const target = [
      '--target',
      `${hostd.address}:${hostd.port}`,
      '--user',
      hostd.user,
      '--thumbprint',
      hostd.thumbprint,
    ];
    const password = ['--password-file', hostd.passwordFile];
    const program = join(root, 'apps/vic-machine/src/main.ts');
    const result = await run(NODE, [program, command, ...target, ...password, ...args], {
      timeoutMs: 900_000,
      env: { PATH: process.env['PATH'] ?? '', HOME: this.directory },
    });
    return result.stdout;
  }

  /** Writes what a shell reads to use vic-machine and govc on this host; the password stays in its own file. */
  async writeAdministratorEnvironment(hostd: HostdReady): Promise<string> {
    const path = join(this.directory, 'administrator.env');
    const url = `https://${hostd.address}:${hostd.port}`;
    const lines = [
      `export VIC_MACHINE_TARGET=${hostd.address}:${hostd.port} VIC_MACHINE_USER=${hostd.user}`,
      `export VIC_MACHINE_THUMBPRINT=${hostd.thumbprint} VIC_MACHINE_PASSWORD="$(cat ${hostd.passwordFile})"`,
      `export GOVC_URL=${url} GOVC_USERNAME=${hostd.user} GOVC_PASSWORD="$(cat ${hostd.passwordFile})" GOVC_INSECURE=1`,
    ];
    await writeFile(path, `${lines.join('\n')}\n`);
    return path;
  }

  /** A docker client for an environment that {@link createVch} gave. */
  async docker(environment: DockerEnvironment): Promise<Docker> {
    const configuration = join(this.directory, 'docker');
    await mkdir(configuration, { recursive: true });
    return Docker.connect(environment, configuration);
  }

  /** Stops everything and removes it: machines, network, files. */
  async down(): Promise<void> {
    await this.#registry.stop();
    await this.#hostd.stop();
    const configured = await readFile(this.#hostdConfiguration, 'utf8').catch(() => undefined);
    if (configured !== undefined) {
      await run(NODE, [join(root, 'apps/hostd/src/main.ts'), 'teardown', '--config', this.#hostdConfiguration], {
        timeoutMs: 300_000,
        env: { PATH: process.env['PATH'] ?? '' },
      });
    }
    // A program that was ended by force may leave files for a moment longer.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  /** The hostd that answers now; only when none does is everything it needs prepared again. */
  async #runningHostd(): Promise<HostdReady> {
    return (await this.readHostd()) ?? this.startHostd();
  }

  get #registryDirectory(): string {
    return join(this.directory, 'registry');
  }

  get #hostdConfiguration(): string {
    return join(this.directory, 'hostd.json');
  }

  get #sourcesFile(): string {
    return join(this.directory, 'sources.sha256');
  }

  get #readyFile(): string {
    return join(this.directory, 'hostd/ready.json');
  }

  #configuration(endpoint: readonly string[]): unknown {
    return {
      instance: this.instance,
      stateDirectory: join(this.directory, 'hostd'),
      uplink: 'nat',
      programs: { 'vch-endpoint': { command: endpoint } },
    };
  }
}

function imageReference(gateway: string, recipe: ImageRecipe): string {
  return `${gateway}:${REGISTRY_PORT}/${LAB_PROJECT}/${recipe.name}:latest`;
}

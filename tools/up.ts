import { BASE_LAB, openLab } from './lab/base-lab.ts';
import { busybox } from './lab/images/index.ts';

/*
 * `./vic up`: from nothing to a container VM that answers a docker client. Can be repeated; what is there is kept.
 */

const lab = openLab();
const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  const startedAt = performance.now();
  process.stdout.write(`${what} … `);
  const result = await work();
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
};

const hostd = await step('Starting hostd, the embedded host', () => lab.startHostd());
const registry = await step('Starting the registry', () => lab.startRegistry());
const image = await step('Putting a busybox image into it', () => lab.push(busybox));
const environment = await step(`Creating the virtual container host ${BASE_LAB.vch}`, () =>
  lab.createVch(BASE_LAB.vch),
);
const docker = await lab.docker(environment);
await step(`Pulling ${image}`, () => docker.ok(['pull', '--quiet', image]));
const greeting = await step('Running it as a container VM', () =>
  docker.ok(['run', '--rm', image, 'sh', '-c', 'echo "Hello from a virtual machine: $(uname -sr), process $$"']),
);

console.log(`\n  ${greeting}\n`);
console.log('The virtual container host is up. Point a Docker client at it:\n');
for (const [name, value] of Object.entries(environment)) console.log(`export ${name}=${value}`);
console.log(`\nThen, for example:  docker run -it --rm ${image} sh`);
console.log(
  `vSphere API: https://${hostd.address}:${hostd.port}/sdk, user ${hostd.user}, password in ${hostd.passwordFile}`,
);
const { authority, password } = lab.registryFiles;
console.log(`Registry: https://${registry}, user admin, password in ${password}, authority ${authority}`);
console.log(`As the administrator:  . ${await lab.writeAdministratorEnvironment(hostd)}; ./vic machine ls`);
if (await lab.isOutdated()) {
  console.log('\nThis was started from other sources than you have now: ./vic down and ./vic up take the new ones.');
}
console.log('Take everything down again with ./vic down');

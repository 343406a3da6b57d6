import { openLab } from './lab/base-lab.ts';

/* `./vic down`: removes all that `./vic up` made, also after crashes and twice in a row. */

await openLab().down();
console.log('Everything is down: no machine, network or file of the lab is left.');

/** The CVSS v4.0 metrics a base score is made of, most severe value first. */
const METRICS = {
  AV: 'NALP',
  AC: 'LH',
  AT: 'NP',
  PR: 'NLH',
  UI: 'NPA',
  VC: 'HLN',
  VI: 'HLN',
  VA: 'HLN',
  SC: 'HLN',
  SI: 'HLN',
  SA: 'HLN',
} as const;

type Metric = keyof typeof METRICS;
type Vector = Readonly<Record<Metric, string>>;

/** Scores of the macrovectors EQ1 EQ2 EQ3 EQ4 EQ6 with EQ5 = 0 (specification 8.2; data of FIRST's reference, BSD-2-Clause). */
const MACROVECTORS: Readonly<Record<string, number>> = {
  '10010': 9.4,
  '10011': 8.9,
  '10020': 8.7,
  '10021': 7.5,
  '10110': 8.6,
  '10111': 7.6,
  '10120': 7.2,
  '10121': 5.7,
  '10211': 6.5,
  '10221': 5.3,
  '11010': 9,
  '11011': 7.7,
  '11020': 7.7,
  '11021': 6.6,
  '11110': 7.4,
  '11111': 5.9,
  '11120': 6.1,
  '11121': 5.2,
  '11211': 5.8,
  '11221': 2.3,
  '20010': 8.6,
  '20011': 7.4,
  '20020': 7,
  '20021': 5.4,
  '20110': 7.2,
  '20111': 5.7,
  '20120': 5.3,
  '20121': 3.6,
  '20211': 4.7,
  '20221': 2.4,
  '21010': 7.3,
  '21011': 5.5,
  '21020': 5.4,
  '21021': 4.3,
  '21110': 6.1,
  '21111': 5.1,
  '21120': 4.6,
  '21121': 1.8,
  '21211': 2.4,
  '21221': 1,
  '00010': 10,
  '00011': 9.6,
  '00020': 9.3,
  '00021': 9,
  '00110': 9.3,
  '00111': 9.2,
  '00120': 8.8,
  '00121': 8,
  '00211': 7.9,
  '00221': 6.9,
  '01010': 9.5,
  '01011': 9.1,
  '01020': 9.2,
  '01021': 8.1,
  '01110': 9.2,
  '01111': 8.2,
  '01120': 8.4,
  '01121': 7,
  '01211': 7.1,
  '01221': 6.3,
};

/** How far apart the vectors of a macrovector are, in steps (specification table 31). */
const DEPTHS = {
  eq1: [1, 4, 5],
  eq2: [1, 2],
  eq3: [7, 8, 10],
  eq4: [6, 5, 4],
} as const;

/** The most severe vectors of each macrovector, of which the first that is at least as severe counts. */
const HIGHEST = {
  eq1: [
    ['AV:N/PR:N/UI:N'],
    ['AV:A/PR:N/UI:N', 'AV:N/PR:L/UI:N', 'AV:N/PR:N/UI:P'],
    ['AV:P/PR:N/UI:N', 'AV:A/PR:L/UI:P'],
  ],
  eq2: [['AC:L/AT:N'], ['AC:H/AT:N', 'AC:L/AT:P']],
  eq3: [['VC:H/VI:H/VA:H'], ['VC:L/VI:H/VA:H', 'VC:H/VI:L/VA:H'], ['VC:L/VI:L/VA:L']],
  eq4: [[], ['SC:H/SI:H/SA:H'], ['SC:L/SI:L/SA:L']],
} as const;

type Equivalence = keyof typeof HIGHEST;

/** The base score of a CVSS v4.0 vector, or `undefined` when it is not one; other than base metrics are ignored. */
export function cvss4BaseScore(text: string): number | undefined {
  const vector = parse(text);
  if (vector === undefined) return undefined;
  if (['VC', 'VI', 'VA', 'SC', 'SI', 'SA'].every((metric) => vector[metric as Metric] === 'N')) return 0;
  const eq = equivalencesOf(vector);
  const value = scoreOf(eq);
  if (value === undefined) return undefined;
  // One lower neighbour always exists for EQ5, at no distance.
  let [neighbours, lost] = [1, 0];
  for (const name of ['eq1', 'eq2', 'eq3', 'eq4'] as const) {
    const lower = lowerScore(eq, name);
    if (lower === undefined) continue;
    neighbours++;
    lost += ((value - lower) * distance(vector, name, eq[name])) / (DEPTHS[name][eq[name]] ?? 1);
  }
  return Math.round(Math.max(0, value - lost / neighbours) * 10) / 10;
}

function parse(text: string): Vector | undefined {
  const [version, ...parts] = text.trim().split('/');
  const found = new Map(parts.map((part) => part.split(':') as [string, string]));
  const complete = Object.entries(METRICS).every(([metric, values]) => {
    const value = found.get(metric);
    return value?.length === 1 && values.includes(value);
  });
  return version === 'CVSS:4.0' && complete ? (Object.fromEntries(found) as Vector) : undefined;
}

function equivalencesOf(v: Vector): Readonly<Record<Equivalence, number>> {
  const easy = [v.AV, v.PR, v.UI].filter((value) => value === 'N').length;
  const high = v.VC === 'H' || v.VI === 'H' || v.VA === 'H';
  return {
    eq1: easy === 3 ? 0 : easy > 0 && v.AV !== 'P' ? 1 : 2,
    eq2: v.AC === 'L' && v.AT === 'N' ? 0 : 1,
    eq3: v.VC === 'H' && v.VI === 'H' ? 0 : high ? 1 : 2,
    eq4: v.SC === 'H' || v.SI === 'H' || v.SA === 'H' ? 1 : 2,
  };
}

/** With security requirements at their default, EQ6 is 0 whenever something is high. */
function scoreOf(eq: Readonly<Record<Equivalence, number>>, eq6 = eq.eq3 === 2 ? 1 : 0): number | undefined {
  return MACROVECTORS[`${eq.eq1}${eq.eq2}${eq.eq3}${eq.eq4}${eq6}`];
}

function lowerScore(eq: Readonly<Record<Equivalence, number>>, name: Equivalence): number | undefined {
  if (name !== 'eq3') return scoreOf({ ...eq, [name]: eq[name] + 1 });
  // EQ3 and EQ6 go down together; where there are two ways down the higher score counts.
  if (eq.eq3 === 2) return undefined;
  const byRequirements = scoreOf(eq, 1);
  if (eq.eq3 === 1) return byRequirements;
  return Math.max(byRequirements ?? 0, scoreOf({ ...eq, eq3: 1 }) ?? 0);
}

/** Steps between the vector and the first highest one that is nowhere less severe. */
function distance(vector: Vector, name: Equivalence, level: number): number {
  for (const highest of HIGHEST[name][level] ?? []) {
    const steps = highest.split('/').map((part) => {
      const [metric = '', value = ''] = part.split(':');
      const values = METRICS[metric as Metric];
      return values.indexOf(vector[metric as Metric]) - values.indexOf(value);
    });
    if (steps.every((step) => step >= 0)) return steps.reduce((sum, step) => sum + step, 0);
  }
  return 0;
}

import { expect, test } from 'vitest';
import { cvss3BaseScore } from './cvss3.ts';
import { cvss4BaseScore } from './cvss4.ts';
import { severityOfScore, severityOfWord } from './severity.ts';

test.each([
  // The examples of FIRST's CVSS v3.1 and v3.0 documents.
  ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N', 5.4],
  ['CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
  ['CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
  ['CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
  ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H', 9.9],
  ['CVSS:3.0/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L', 4.2],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 7.5],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
  ['CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H', 7.8],
  ['CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N', 4.6],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
])('cvss3BaseScore() scores %s as %d', (vector, score) => {
  expect(cvss3BaseScore(vector)).toBe(score);
});

test.each([
  // Scores of FIRST's CVSS v4.0 calculator and examples.
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H', 10],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3],
  ['CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.7],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N', 8.7],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N', 5.1],
  ['CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.3],
  ['CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N', 5.1],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N', 0],
])('cvss4BaseScore() scores %s as %d', (vector, score) => {
  expect(cvss4BaseScore(vector)).toBe(score);
});

test('a base score needs a whole vector of its version', () => {
  expect(cvss3BaseScore('AV:N/AC:L/Au:N/C:P/I:P/A:P')).toBeUndefined();
  expect(cvss3BaseScore('CVSS:3.1/AV:N/AC:L')).toBeUndefined();
  expect(cvss4BaseScore('CVSS:4.0/AV:N')).toBeUndefined();
  expect(cvss4BaseScore('CVSS:4.0/AV:__proto__')).toBeUndefined();
});

test('severities are those of the score or of the word of a distribution', () => {
  expect([0, 0.1, 4, 7, 9].map(severityOfScore)).toEqual(['None', 'Low', 'Medium', 'High', 'Critical']);
  expect(['low**', 'Moderate', 'unimportant', 'important', 'nonsense'].map(severityOfWord)).toEqual([
    'Low',
    'Medium',
    'Negligible',
    'High',
    undefined,
  ]);
});

/** Imports go down only: apps → feature libs → platform libs → kernel, and into a lib only through its index. */
const platform = '(config|mongo|observability|events)';
const feature = '(access|credentials|tokens|catalogue|identity)';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'kernel-stands-alone',
      severity: 'error',
      from: { path: '^libs/kernel/' },
      to: { path: '^(libs/(?!kernel/)|apps/|tools/)' },
    },
    {
      name: 'platform-knows-no-feature',
      severity: 'error',
      from: { path: `^libs/${platform}/` },
      to: { path: `^(libs/${feature}/|apps/|tools/)` },
    },
    {
      name: 'libs-know-no-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|tools|test|bench)/' },
    },
    {
      name: 'through-the-index',
      severity: 'error',
      from: { path: '^(?:libs/([^/]+)|apps|tools)/' },
      to: { path: '^libs/[^/]+/', pathNot: ['^libs/[^/]+/index\\.ts$', '^libs/$1/'] },
    },
    {
      name: 'pure-domain',
      severity: 'error',
      from: { path: '^libs/[^/]+/domain/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^libs/kernel/', '^libs/[^/]+/domain/', '^(node:)?crypto$'] },
    },
    { name: 'tools-know-no-service', severity: 'error', from: { path: '^tools/' }, to: { path: '^(apps|libs)/' } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};

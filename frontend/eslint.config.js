import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// Who may import whom: ui -> session -> {api, tools, render}; tools -> document, render/camera;
// render -> document; document and api -> nothing of ours. A layer may use what lies below it.
const ALL = ["ui", "session", "tools", "render", "document", "api"];
const MAY_IMPORT = {
  session: ["api", "tools", "render", "document"],
  tools: ["document", "render/camera"],
  render: ["document"],
  document: [],
  api: [],
};

/** One restriction per layer: every relative path that climbs out into a layer it may not know. */
function boundary(layer) {
  const allowed = MAY_IMPORT[layer];
  const closed = ALL.filter((other) => other !== layer && !allowed.includes(other)).map((other) => {
    const inner = allowed.filter((path) => path.startsWith(`${other}/`)).map((path) => path.slice(other.length + 1));
    return inner.length > 0 ? `${other}(?!/(?:${inner.join("|")})(?:[./]|$))` : other;
  });
  const patterns = [
    {
      regex: `^(?:\\.\\./)+(?:${closed.join("|")})(?:/|$)`,
      message: `src/${layer} may import only: ${allowed.join(", ") || "nothing of ours"}.`,
    },
  ];
  if (layer === "document" || layer === "tools" || layer === "render") {
    patterns.push({
      regex: "^(react|react-dom|wouter|idb|openapi-fetch|@mantine|@tanstack|@tabler)(?:/|$)",
      message: `src/${layer} knows no framework and no network.`,
    });
  }
  return {
    files: [`src/${layer}/**/*.{ts,tsx}`],
    rules: { "no-restricted-imports": ["error", { patterns }] },
  };
}

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/schema.d.ts"] },
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  reactHooks.configs.flat["recommended-latest"],
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js"] }, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/ban-ts-comment": ["error", { "ts-expect-error": true, "ts-ignore": true, "ts-nocheck": true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      // Our interfaces are records of closures, not classes: there is no `this` to lose.
      "@typescript-eslint/unbound-method": "off",
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  { files: ["eslint.config.js"], extends: [tseslint.configs.disableTypeChecked], languageOptions: { globals: { process: "readonly" } } },
  ...Object.keys(MAY_IMPORT).map(boundary),
);

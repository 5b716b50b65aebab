export const SIGN_IN_STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { box-sizing: border-box; width: min(24rem, 100%); padding: 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
form, label { display: grid; gap: 0.25rem; }
label { margin-top: 0.75rem; font-weight: 600; }
input, button, .button { box-sizing: border-box; font: inherit; padding: 0.5rem 0.75rem; border: 1px solid #767676; border-radius: 0.375rem; }
button, .button { display: inline-block; text-align: center; text-decoration: none; cursor: pointer; color: #fff; background: #1d4ed8; border-color: #1d4ed8; }
form button { margin-top: 1rem; }
button:disabled { opacity: 0.6; cursor: progress; }
:focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
.or { color: GrayText; }
.problem { padding: 0.5rem 0.75rem; border: 1px solid #b91c1c; border-left-width: 0.375rem; border-radius: 0.375rem; }
.signed-in { margin-bottom: 1rem; border-bottom: 1px solid #767676; }
[hidden] { display: none; }
`;

// The guided set-up: an administrator, a first token, a first call. The set-up token comes in the fragment, which no
// server and no log ever sees; nothing is kept but in this page's memory.
'use strict'

const find = (id) => document.getElementById(id)
const setupToken = decodeURIComponent(location.hash.slice(1))
let texts = {}
let language = (navigator.language || 'en').toLowerCase().startsWith('ja') ? 'ja' : 'en'
let session = null
let personal = null
let permissions = []

function say(key) { return (texts[language] || {})[key] || key }

function speak() {
  document.documentElement.lang = language
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = say(element.dataset.text)
  find('language').textContent = say('language')
  find('language').lang = language === 'ja' ? 'en' : 'ja'
  showScopes()
}

function show(step) {
  for (const id of ['closed', 'administrator', 'token', 'try']) find(id).hidden = id !== step
  let passed = true
  for (const item of document.querySelectorAll('.steps li')) {
    const here = item.dataset.step === step
    if (here) passed = false
    item.toggleAttribute('aria-current', here)
    if (here) item.setAttribute('aria-current', 'step')
    item.classList.toggle('done', passed && step !== 'closed')
  }
  const first = find(step).querySelector('input, button')
  if (first) first.focus()
}

async function call(method, path, body, bearer) {
  const headers = { accept: 'application/json' }
  if (body) headers['content-type'] = 'application/json'
  if (bearer) headers.authorization = 'Bearer ' + bearer
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
  const answer = await response.json()
  return { ok: response.ok, status: response.status, answer }
}

// Puts each error beside its field, and the rest above the button.
function complain(form, answer, names = {}) {
  for (const place of form.querySelectorAll('.wrong')) place.textContent = ''
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid')
  let rest = answer ? answer.detail : ''
  for (const { field, message } of (answer && answer.errors) || []) {
    const id = names[field] || field
    const place = find(id + '-wrong')
    if (!place) continue
    place.textContent = message
    find(id).setAttribute('aria-invalid', 'true')
    rest = ''
  }
  form.querySelector('.problem').textContent = rest
  const wrong = form.querySelector('[aria-invalid=true]')
  if (wrong) wrong.focus()
}

function onSubmit(id, work) {
  const form = find(id)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const button = form.querySelector('.main')
    button.disabled = true
    complain(form, null)
    try { await work(form) } catch { complain(form, { detail: say('failed') }) }
    button.disabled = false
  })
}

function showScopes() {
  const box = find('scopes')
  const chosen = new Set([...box.querySelectorAll('input:checked')].map((input) => input.value))
  box.replaceChildren(...permissions.map((permission) => {
    const label = document.createElement('label')
    label.className = 'choice'
    const input = document.createElement('input')
    input.type = 'checkbox'
    input.value = permission.name
    input.checked = chosen.size ? chosen.has(permission.name) : permission.name === 'organization:read'
    const name = document.createElement('small')
    name.textContent = permission.name
    const title = document.createElement('span')
    title.textContent = (permission.title || {})[language] || (permission.title || {}).en || permission.name
    label.append(input, title, name)
    return label
  }))
}

onSubmit('administrator', async (form) => {
  const body = { token: setupToken, name: find('name').value.trim(), email: find('email').value.trim(), password: find('password').value }
  const { ok, status, answer } = await call('POST', '/v1/setup', body)
  if (!ok) {
    if (status === 401 || status === 403 || status === 404) return show('closed')
    return complain(form, answer)
  }
  session = answer.token
  history.replaceState(null, '', location.pathname)
  const own = await call('GET', '/v1/apis/tegata', null, session)
  permissions = ((own.answer || {}).permissions || []).filter((permission) => ['organization:read', 'own_tokens:read', 'policies:read', 'records:read', 'activity:read'].includes(permission.name))
  showScopes()
  show('token')
})

onSubmit('token', async (form) => {
  const scopes = [...find('scopes').querySelectorAll('input:checked')].map((input) => input.value)
  if (!scopes.length) return complain(form, { detail: say('token_none') })
  const expires = new Date(Date.now() + Number(find('days').value) * 86400000).toISOString()
  const body = { name: find('token-name').value.trim(), expires_at: expires, grants: [{ organization: 'default', api: 'tegata', scopes }] }
  const { ok, answer } = await call('POST', '/v1/me/tokens', body, session)
  if (!ok) return complain(form, answer, { name: 'token-name' })
  personal = answer.token
  find('secret').textContent = personal
  find('next').textContent = [
    'tegata login --url ' + location.origin,
    'tegata catalogue import catalogues/github.yaml',
    'tegata org enable-api github --org default',
    "tegata verifier create --name 'my gateway' --api github",
  ].join('\n')
  show('try')
})

async function attempt(method, path, body) {
  const { status, answer } = await call(method, path, body, personal)
  find('result').hidden = false
  find('result').textContent = method + ' ' + path + '  →  ' + status + '\n' + JSON.stringify(answer, null, 2)
}

find('call').addEventListener('click', () => attempt('GET', '/v1/orgs/default'))
find('call-denied').addEventListener('click', () => attempt('POST', '/v1/orgs/default/teams', { key: 'team', name: 'Team' }))
find('copy').addEventListener('click', async () => {
  await navigator.clipboard.writeText(personal)
  find('copy').textContent = say('copied')
})
find('language').addEventListener('click', () => { language = language === 'ja' ? 'en' : 'ja'; speak() })

fetch('/setup/setup.texts.json').then((response) => response.json()).then((all) => {
  texts = all
  speak()
  show(setupToken ? 'administrator' : 'closed')
})

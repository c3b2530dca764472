-- Written by mailadmin at every start of the private mail host; changes made here are lost.
-- Facts at the door: whatever X-Mailadmin-* a letter brings is taken off, and ours are put on, one fact a line, in the
-- grammar of deploy/render/facts.py. Before that, a login's letter must be From an address of its own.
-- Nothing here fails open: rspamd.conf answers 451 for a letter without the symbol MAILADMIN_FACTS.
local logger = require 'rspamd_logger'
local util = require 'rspamd_util'

local PREFIX = 'x-mailadmin-'
local SPAM = 8.0 -- the score from which a letter counts as spam
local ATEXT = "[%w!#$%%&'*+/=?^_`{|}~-]" -- RFC 5322, 3.2.3
local LONGEST_ADDRESS, LONGEST_LIST, LONGEST_SUBJECT, MOST_LINKS = 254, 200, 200, 999
local LONGEST_RECIPIENTS, MOST_READ = 900, 65536 -- of the lines To, and Cc
local MOST_TEXT, MOST_WORK, MOST_PHRASES = 524288, 268435456, 40 -- of a body: bytes, bytes searched, found phrases

-- Addresses --------------------------------------------------------------------------------------------------------

local function is_domain(text)
  for label in (text .. '.'):gmatch('([^.]*)%.') do
    if #label > 63 or not label:match('^%w[%w-]*$') or label:sub(-1) == '-' then return false end
  end
  return text:find('.', 1, true) ~= nil
end

-- The address itself when it is plain ASCII, lower case, dot-atom@domain; else nothing.
local function plain(text)
  local address = text:lower()
  local part, domain = address:match('^([^@]+)@([^@]+)$')
  if not part or #address > LONGEST_ADDRESS or #part > 64 or not is_domain(domain) then return nil end
  for atom in (part .. '.'):gmatch('([^.]*)%.') do
    if not atom:match('^' .. ATEXT .. '+$') then return nil end
  end
  return address, domain
end

-- The one mailbox of a header:  a@b  |  <a@b>  |  name <a@b>  |  "name" <a@b>.  No comment, group, list or route.
-- Quoted strings become \127, which is in no address; what is escaped outside of them is nothing that we know. An
-- encoded word in an address is all of atext, and is shown as something else.
local function one_mailbox(header)
  local whole = (header.raw or ''):gsub('\r?\n([ \t])', '%1'):gsub('[\r\n]+$', '')
  if whole:find('[%z\1-\8\10-\31\127]') then return nil end
  local text = (header.value or ''):gsub('\r?\n([ \t])', '%1'):gsub('\\.', '\1'):gsub('"[^"]*"', '\127')
  if text:find('\1', 1, true) then return nil end
  local address = text:match('^%s*([^%s<>]+)%s*$') or text:match('^[^<>@,;:()"\\]*<%s*([^%s<>]+)%s*>%s*$')
  if address and not address:find('=%?[^?]+%?%a%?') then return plain(address) end
end

-- A header's value without its quotes and comments; a quote becomes \127, which is in no address. What does not end is
-- left out.
local function unquoted(text)
  local out, from, depth, quoted, escaped = {}, 1, 0, false, 0
  for at, mark in text:gmatch('()([\\"()])') do
    local loose = not quoted and depth == 0
    if at == escaped then
      escaped = 0
    elseif mark == '\\' then
      escaped = loose and 0 or at + 1
    elseif loose and mark ~= ')' then
      out[#out + 1] = text:sub(from, at - 1) .. (mark == '"' and '\127' or ' ')
      quoted, depth = mark == '"', mark == '(' and 1 or 0
    elseif quoted and mark == '"' then
      quoted, from = false, at + 1
    elseif depth > 0 and mark ~= '"' then
      depth = depth + (mark == '(' and 1 or -1)
      from = at + 1
    end
  end
  if not quoted and depth == 0 then out[#out + 1] = text:sub(from) end
  return table.concat(out)
end

-- Without the extension:  anna+diary@b -> anna@b.
local function bare(address)
  return (address:gsub('^([^+@]+)%+[^@]*@', '%1@'))
end

local function headers(task, name)
  return task:get_header_full(name) or {}
end

-- Readers disagree about a head with a NUL, a CR by itself, or a line that is neither a field nor a fold of one.
local function is_sound(head)
  if head:find('%z') or head:find('\r[^\n]') then return false end
  for field in head:gsub('\r?\n[ \t]', ' '):gmatch('[^\r\n]+') do
    if not field:find('^[!-9;-~]+:') then return false end
  end
  return true
end

-- Who a letter says that it is from. Two readers must agree: this one, and rspamd's, whose domain DMARC is asked about.
local function author(task)
  local found, parsed = headers(task, 'From'), task:get_from('mime') or {}
  if #found ~= 1 or #parsed ~= 1 or not is_sound(tostring(task:get_raw_headers() or '')) then return nil end
  local address, domain = one_mailbox(found[1])
  if address and (parsed[1].domain or ''):lower() == domain then return address, domain end
end

local function envelope_domain(task)
  local from = (task:get_from('smtp') or {})[1] or {}
  return (from.domain or ''):lower()
end

-- What the release says -----------------------------------------------------------------------------------------------

-- The rest of the line that begins with a key: nothing when there is no such line, nil when there is no such list. Read
-- for each letter that needs it: what was applied holds from that moment.
local function listed(list, key)
  local file = io.open('@ROOT@/current/rspamd/' .. list, 'r')
  if not file then return nil end
  local text = '\n' .. file:read('*a')
  file:close()
  local _, stop = text:find('\n' .. key .. ' ', 1, true)
  return stop and text:match('[^\n]*', stop + 1) or ''
end

local OWN = '@OWN@' -- the panel's letters are from it: its login is in no release
local CARRIER = '@CARRIER@' -- who forwards letters

local function owns(login, address)
  if address == OWN then return login:lower() == OWN end
  for _, form in ipairs({ address, bare(address) }) do
    local logins = listed('sender_logins', form)
    if logins ~= '' then return logins and (',' .. logins .. ','):find(',' .. login:lower() .. ',', 1, true) ~= nil end
  end
  return false
end

-- Whether an address is somebody's here.
local function is_ours(address)
  for _, form in ipairs({ address, bare(address) }) do
    if (listed('sender_logins', form) or '') ~= '' then return true end
  end
  return false
end

-- Whether a recipient leads to somebody whose letters are let in by who wrote them. Yes when that cannot be told.
local function is_screened(task)
  for _, recipient in ipairs(task:get_recipients({ 'smtp', 'orig' }) or {}) do
    local address, domain = plain(bare(recipient.addr or ''))
    if not address then return true end
    if listed('screened', address) ~= '' or listed('screened', '@' .. domain) ~= '' then return true end
  end
  return false
end

-- A letter that the host itself sends for its people comes by a door of its own, whose name is told us: master.cf.
local function is_posted(task)
  return tostring(task:get_request_header('MTA-Name') or '') == 'post'
end

-- What our own Postfix says became of a letter comes by a service of its own, whose name is told us: master.cf.
local function is_report(task)
  return tostring(task:get_request_header('MTA-Name') or '') == 'reports'
end

-- Whether a stranger's letter shows this host's name where it says who it is from, in whatever way.
local function names_us(task)
  local seen = {}
  for _, header in ipairs(headers(task, 'From')) do seen[#seen + 1] = (header.raw or '') .. '\n' .. (header.decoded or '') end
  for _, one in ipairs(task:get_from('mime') or {}) do seen[#seen + 1] = one.addr or '' end
  return table.concat(seen, '\n'):lower():find('@HOSTNAME@', 1, true) ~= nil
end

-- The hour at which a login's mail opens, when it sleeps and the letter is to somebody whom it cannot always write to:
-- Postfix says so, too, but not in a session that began before. `asleep` has the hour, then whom a login can write to.
local function sleeps_until(task, login)
  local line = listed('asleep', login:lower()) or ''
  local open = ' ' .. line .. ' '
  local function is_open(form) return open:find(' ' .. form .. ' ', 1, true) ~= nil end
  for _, recipient in ipairs(line ~= '' and task:get_recipients({ 'smtp', 'orig' }) or {}) do
    local address = (recipient.addr or ''):lower()
    local part, domain = address:match('^([^@%%!]+)@([^@]+)$')
    local known = part and (is_open(address) or is_open('@' .. domain)
      or part:find('+', 2, true) and is_open(part:match('^[^+]+') .. '+@' .. domain))
    if not known then return line:match('^%S+') end
  end
end

rspamd_config:register_symbol({
  name = 'MAILADMIN_OWNER', score = 0.0, type = 'prefilter', priority = 10, flags = 'empty',
  callback = function(task)
    local login = task:get_user()
    local function answer(action, sentence) task:set_pre_result(action, sentence, 'mailadmin') end
    if is_posted(task) then return end
    if not login or login == '' then
      if names_us(task) and not is_report(task) then answer('reject', 'This host alone writes in its own name.') end
      return
    end
    local address = author(task)
    if not address then return answer('reject', 'The From line of a letter must hold exactly one address.') end
    local own = owns(login, address)
    local hour = own and sleeps_until(task, login)
    if hour then
      return answer('reject', 'Your mail sleeps until ' .. hour .. ': until then you may write only to those whom you can always write to.')
    end
    if own then return end
    if own == nil then return answer('soft reject', 'It cannot be looked up whose address this is; try again.') end
    answer('reject', (login .. ' may not write as ' .. address .. '; choose one of your own addresses.'):gsub('[^ -~]', '?'))
  end,
})

-- The facts ----------------------------------------------------------------------------------------------------------

-- What signatures say, by domain: `allow`, or `tempfail`. Left out, and told by the second value, are those that vouch
-- for less than it seems: for a part of the letter (l=: RFC 6376, 8.2), or with what can be forged (RFC 8301: SHA-1, an
-- RSA key under 1,024 bits). With anything but plain text in one of them none counts: rspamd reads encoded words in it
-- which, under `c=simple`, its hash does not see, so that anybody could add l= to anybody's signature.
local function signatures(task)
  local weak, found = {}, {}
  for _, one in ipairs(headers(task, 'DKIM-Signature')) do
    local text, tags = (one.value or ''):gsub('%s', ''), { a = '', b = '', d = '', s = '' }
    if text:find('[^!-~]') or text:find('=?', 1, true) then return {}, true end
    for name, value in (text .. ';'):gmatch('([^;=]*)=([^;]*);') do tags[name] = value end
    if tags.l or tags.a == 'rsa-sha1' or (tags.a:find('^rsa') and #tags.b < 171) then
      weak[(tags.d .. ' ' .. tags.s):lower()] = true
    end
  end
  for _, one in ipairs(task:get_dkim_results() or {}) do
    local domain = (one.domain or ''):lower()
    local says = (one.result == 'allow' or one.result == 'tempfail') and one.result
    if says and found[domain] ~= 'allow' and not weak[(domain .. ' ' .. (one.selector or '')):lower()] then
      found[domain] = says
    end
  end
  return found, next(weak) ~= nil
end

-- What a parent may pin who knows a sender whose domain publishes nothing: it will show the same again.
local function evidence(task, signed)
  local best
  for domain, result in pairs(signed) do
    if result == 'allow' and is_domain(domain) and (not best or domain < best) then best = domain end
  end
  if best then return 'dkim:' .. best end
  local domain = envelope_domain(task)
  if task:has_symbol('R_SPF_ALLOW') and is_domain(domain) then return 'spf:' .. domain end
  local ip = task:get_from_ip()
  if not ip or not ip:is_valid() then return '-' end
  local bits = ip:get_version() == 4 and 24 or 48
  return string.format('ip:%s/%d', ip:apply_mask(bits):to_string(), bits)
end

-- DKIM or SPF of exactly this domain.
local function exactly(task, domain, signed)
  if signed[domain] == 'allow' then return 'pass', 'dkim' end
  local wait = signed[domain] == 'tempfail' and 'dkim' or nil
  if envelope_domain(task) == domain then
    if task:has_symbol('R_SPF_ALLOW') then return 'pass', 'spf' end
    if task:has_symbol('R_SPF_DNSFAIL') then wait = wait or 'spf' end
  end
  if wait then return 'temp', wait end
end

local function proof(task, address, domain)
  local login = task:get_user()
  if login and login ~= '' then
    return (is_posted(task) and is_ours(address) or owns(login, address)) and 'pass' or 'fail', 'login'
  end
  local signed, weak = signatures(task)
  local verdict, how = exactly(task, domain, signed)
  if task:has_symbol('DMARC_POLICY_ALLOW') then return weak and (verdict or 'fail') or 'pass', 'dmarc' end
  if task:has_symbol('DMARC_DNSFAIL') then return 'temp', 'dmarc' end
  for _, kind in ipairs({ 'REJECT', 'QUARANTINE', 'SOFTFAIL' }) do
    if task:has_symbol('DMARC_POLICY_' .. kind) then return 'fail', 'dmarc' end
  end
  if not task:has_symbol('DMARC_NA') and not task:has_symbol('DMARC_BAD_POLICY') then return 'fail', 'unchecked' end
  return verdict or 'none', how or evidence(task, signed)
end

local function from_fact(task)
  if is_report(task) then return 'report' end
  if is_posted(task) and task:get_user() ~= OWN then return 'malformed' end -- it has passed a door, and shows no facts
  local address, domain = author(task)
  if not address then return 'malformed' end
  local verdict, how = proof(task, address, domain)
  return string.format('%s %s %s', verdict, address, how)
end

local function reply_fact(task)
  local found = headers(task, 'Reply-To')
  if #found == 0 then return 'none' end
  local address = #found == 1 and one_mailbox(found[1])
  if not address then return 'malformed' end
  return address == author(task) and 'same' or 'other'
end

-- The plain addresses of all lines of a name. A list reads what stands between commas, a group what it holds.
local function addresses_fact(task, name)
  local seen, found, length, left = {}, {}, -1, MOST_READ
  for _, header in ipairs(headers(task, name)) do
    local text = (header.value or ''):sub(1, left):gsub('\r?\n([ \t])', '%1')
    left = left - #text
    for piece in unquoted(text):gmatch('[^,;:]+') do
      local address = piece:match('^%s*([^%s<>]+)%s*$') or piece:match('^[^<>]*<%s*([^%s<>]+)%s*>%s*$')
      address = address and not address:find('=%?[^?]+%?%a%?') and plain(address)
      if address and not seen[address] then
        length = length + 1 + #address
        if length > LONGEST_RECIPIENTS then return table.concat(found, ' ') end
        seen[address], found[#found + 1] = true, address
      end
    end
  end
  return #found > 0 and table.concat(found, ' ') or 'none'
end

local function to_fact(task) return addresses_fact(task, 'To') end
local function cc_fact(task) return addresses_fact(task, 'Cc') end

local function links_fact(task)
  local seen, count = {}, 0
  local function see(link)
    if not seen[link] then seen[link], count = true, count + 1 end
  end
  for _, url in ipairs(task:get_urls({ 'http', 'https', 'ftp', 'file' }) or {}) do see(url:get_text()) end
  local known, own = count, {}
  for _, part in ipairs(task:get_text_parts() or {}) do -- rspamd sees no http://intranet/ in plain text
    for link in tostring(part:get_content() or ''):gmatch('[hH][tT][tT][pP][sS]?://[^%s<>"]+') do own[link] = true end
  end
  local other = 0
  for _ in pairs(own) do other = other + 1 end
  return tostring(math.min(math.max(known, other), MOST_LINKS))
end

local KINDS = {
  program = 'exe com scr pif msi dll cpl sys jar class apk app dmg pkg deb rpm run elf lnk url reg hta chm swf iso img vhd '
    .. 'js jse mjs vbs vbe wsf wsh ps1 bat cmd sh py pl rb php ahk jnlp svg docm dotm xlsm xltm xlam xlsb pptm potm ppsm',
  archive = 'zip rar 7z gz tgz tar bz2 xz zst cab arj ace lzh', picture = 'jpg jpeg png gif bmp tif tiff webp heic heif ico',
  document = 'doc docx dot dotx xls xlsx xlt xltx ppt pptx pps ppsx odt ods odp odg rtf', pdf = 'pdf',
  message = 'eml msg mht', calendar = 'ics vcs', text = 'txt csv md log vcf html htm xml json',
}
local KIND = {}
for kind, endings in pairs(KINDS) do
  for ending in endings:gmatch('%S+') do KIND[ending] = kind end
end

local function kind_of_name(name)
  local ending = tostring(name or ''):lower():gsub('[%s%.]+$', ''):match('%.(%w+)$')
  return ending and (KIND[ending] or 'other')
end

local function see_archive(archive, kinds)
  kinds.archive = true
  local files = archive:get_files(1000) or {}
  if archive:is_encrypted() or archive:is_unreadable() or #files == 0 then kinds.opaque = true end
  for _, name in ipairs(files) do
    local kind = kind_of_name(name)
    if kind == 'program' then kinds.program = true elseif kind == 'archive' then kinds.opaque = true end
  end
end

-- A name can make an attachment worse, never better: content and name both count.
local function see_part(part, kinds)
  local major, minor = part:get_type()
  local name, ending = part:get_filename(), part:get_detected_ext()
  major, minor = (major or ''):lower(), (minor or ''):lower()
  if part:is_multipart() or (part:is_text() and not name and not part:is_attachment() and minor ~= 'calendar') then return end
  local named = kind_of_name(name)
  if named then kinds[named] = true end
  if major == 'message' then kinds.message = true end
  if minor == 'calendar' then kinds.calendar = true end
  if part:is_archive() and KIND[ending or ''] ~= 'document' then return see_archive(part:get_archive(), kinds) end
  if ending and KIND[ending] then kinds[KIND[ending]] = true end
  if not named and not KIND[ending or ''] and major ~= 'message' then kinds.other = true end
end

local function attachments_fact(task)
  local kinds, names = {}, {}
  for _, part in ipairs(task:get_parts() or {}) do see_part(part, kinds) end
  for kind in pairs(kinds) do names[#names + 1] = kind end
  table.sort(names)
  return #names > 0 and table.concat(names, ' ') or 'none'
end

local function list_fact(task)
  local found = headers(task, 'List-Id')
  if #found == 0 then return 'none' end
  local value = (found[1].value or ''):lower()
  local id = value:match('<%s*([%w._-]+)%s*>%s*$') or value:match('^%s*([%w._-]+)%s*$')
  return #found == 1 and id and #id <= LONGEST_LIST and id:find('.', 1, true) and id or 'malformed'
end

local AUTOMATIC = { ['Auto-Submitted'] = '^%s*no%s*$', ['X-Auto-Response-Suppress'] = '^%s*none%s*$' } -- but for these values
local BULK = { 'bulk', 'list', 'junk', 'auto' }

local function auto_fact(task)
  local from = (task:get_from('smtp') or {})[1] or {}
  local user = (from.user or ''):lower()
  if (from.addr or '') == '' or user == 'mailer-daemon' or user:match('^no%-?reply') or user:match('%-bounces') then return 'yes' end
  if #headers(task, 'List-Id') + #headers(task, 'List-Unsubscribe') > 0 then return 'yes' end
  for name, harmless in pairs(AUTOMATIC) do
    for _, one in ipairs(headers(task, name)) do
      if not (one.value or ''):lower():match(harmless) then return 'yes' end
    end
  end
  for _, one in ipairs(headers(task, 'Precedence')) do
    for _, word in ipairs(BULK) do
      if (one.value or ''):lower():find(word, 1, true) then return 'yes' end
    end
  end
  return 'no'
end

local function spam_fact(task)
  local score = (task:get_metric_score('default') or { 0 })[1]
  score = math.max(-99.9, math.min(score, 99.9))
  return string.format('%s %.1f', score >= SPAM and 'spam' or 'ham', score):gsub('%-0%.0$', '0.0')
end

-- rspamd decodes broken base64 into memory that is not the letter's: such a word is shown as it came.
local function decoded(header)
  for _, word in (header.value or ''):gmatch('=%?[^?%s]*%?([bB])%?([^?]*)%?=') do
    if word:find('[^%w+/=]') or #word:gsub('=+$', '') % 4 == 1 then return header.value end
  end
  return header.decoded or header.value or ''
end

-- What a body is searched for: the phrases of everybody whom the letter is for, `{ id, phrase }`, each once.
local function phrases(task)
  local found, seen, file = {}, {}, io.open('@ROOT@/current/rspamd/phrases', 'r')
  if not file then return found end
  local text = '\n' .. file:read('*a')
  file:close()
  local function see(key)
    local _, at = text:find('\n' .. key .. ' ', 1, true)
    while at do
      local id, phrase = text:match('^(%x+) ([^\n]+)', at + 1)
      if id and #id == 16 and not seen[id] then seen[id], found[#found + 1] = true, { id, phrase } end
      _, at = text:find('\n' .. key .. ' ', at, true)
    end
  end
  for _, recipient in ipairs(task:get_recipients({ 'smtp', 'orig' }) or {}) do
    local address, domain = plain(bare(recipient.addr or ''))
    if address and not seen[address] then
      seen[address] = true
      see(address)
      see('@' .. domain)
    end
  end
  return found
end

-- Text as phrases are written: in lower case, one blank where there are more or others; a sigma is a sigma.
local BLANKS = { '\194[\133\160]', '\225\154\128', '\226\128[\128-\138\168\169\175]', '\226\129\159', '\227\128\128' }
local function folded(text)
  text = util.is_valid_utf8(text) and util.lower_utf8(text) or text:lower()
  for _, blank in ipairs(BLANKS) do text = text:gsub(blank, ' ') end
  return (text:gsub('[%s\28-\31]+', ' '):gsub('\207\130', '\207\131'))
end

-- Every three bytes that stand side by side: most phrases hold some that a text does not.
local function triples(text)
  local found = {}
  for at = 1, #text - 2 do
    local one, two, three = text:byte(at, at + 2)
    found[one * 65536 + two * 256 + three] = true
  end
  return found
end

local function may_hold(found, phrase)
  for at = 1, #phrase - 2 do
    local one, two, three = phrase:byte(at, at + 2)
    if not found[one * 65536 + two * 256 + three] then return false end
  end
  return true
end

local function text_of(task)
  local texts, left = {}, MOST_TEXT
  for _, part in ipairs(task:get_text_parts() or {}) do
    local text = part:get_mimepart():is_attachment() and '' or tostring(part:get_content() or '')
    if #text > left then text = text:sub(1, left):gsub('[\192-\255][\128-\191]*$', '') end
    left = left - #text
    texts[#texts + 1] = folded(text)
  end
  return table.concat(texts, '\1') -- no phrase reaches from one part into the next
end

local function body_fact(task)
  local sought, found, work = phrases(task), {}, 0
  if #sought == 0 then return 'none' end
  local text = text_of(task)
  local known = triples(text)
  for _, one in ipairs(sought) do
    local phrase = one[2]:gsub('\207\130', '\207\131')
    if may_hold(known, phrase) and work < MOST_WORK and #found < MOST_PHRASES then
      work = work + #text
      if text:find(phrase, 1, true) then found[#found + 1] = one[1] end
    end
  end
  return #found > 0 and table.concat(found, ' ') or 'none'
end

local function subject_fact(task)
  local found = headers(task, 'Subject')[1]
  local text = found and decoded(found) or ''
  if not util.is_valid_utf8(text) then text = text:gsub('[\128-\255]', '?') end
  text = text:gsub('[%z\1-\31\127]', ' '):gsub('\194[\128-\159]', ' '):gsub('\226\128[\168\169]', ' ')
  local out, count = {}, 0
  for letter in text:gsub(' +', ' '):gsub('^ ', ''):gmatch('[%z\1-\127\192-\247][\128-\191]*') do
    count = count + 1
    if count <= LONGEST_SUBJECT then out[count] = letter end
  end
  text = table.concat(out):gsub(' $', '')
  return text ~= '' and text or '-'
end

-- Each fact, who finds it, and what is said when that fails: the worst.
local BODY = { 'Body', body_fact, 'none' } -- the only one that depends on whom a letter is for
local FACTS = {
  { 'From', from_fact, 'malformed' },
  { 'Reply-To', reply_fact, 'malformed' },
  { 'To', to_fact, 'none' },
  { 'Cc', cc_fact, 'none' },
  { 'Links', links_fact, tostring(MOST_LINKS) },
  { 'Attachments', attachments_fact, 'opaque' },
  { 'List', list_fact, 'malformed' },
  { 'Auto', auto_fact, 'yes' },
  { 'Spam', spam_fact, 'spam 99.9' },
  { 'Subject', subject_fact, '-' },
  BODY,
}

-- Whether a letter that is forwarded has the facts of its first door: each once, and no other. They are ours: whatever
-- a letter brings is taken off there.
local function is_whole(task)
  local count = 0
  for _, one in ipairs(task:get_headers() or {}) do
    if (one.name or ''):lower():sub(1, #PREFIX) == PREFIX then count = count + 1 end
  end
  for _, fact in ipairs(FACTS) do
    local found = headers(task, 'X-Mailadmin-' .. fact[1])
    if #found ~= 1 or (found[1].raw or '\n'):gsub('[\r\n]+$', ''):find('[%z\1-\31\127]') then return false end
  end
  return count == #FACTS
end

rspamd_config:register_symbol({
  name = 'MAILADMIN_FACTS', score = 0.0, type = 'postfilter', priority = 0, flags = 'empty,ignore_passthrough',
  callback = function(task)
    local add, remove = {}, {}
    local kept = is_posted(task) and task:get_user() == CARRIER and is_whole(task)
    for _, one in ipairs(not kept and task:get_headers() or {}) do
      if (one.name or ''):lower():sub(1, #PREFIX) == PREFIX then remove[one.name] = 0 end
    end
    for _, fact in ipairs(kept and { BODY } or FACTS) do
      local ok, text = pcall(fact[2], task)
      if not ok then logger.errx(task, 'mailadmin: %s: %s', fact[1], text) end
      remove['X-Mailadmin-' .. fact[1]] = 0
      add['X-Mailadmin-' .. fact[1]] = ok and text or fact[3]
    end
    if not kept and add['X-Mailadmin-From']:find('^temp ') and is_screened(task) then
      task:set_pre_result('soft reject', 'It cannot be proved just now who wrote this letter; try again.', 'mailadmin')
    end
    task:set_milter_reply({ add_headers = add, remove_headers = remove })
    task:insert_result('MAILADMIN_FACTS', 1.0)
  end,
})

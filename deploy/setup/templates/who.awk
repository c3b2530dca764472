# Written by mailadmin at every start of the private mail host; changes made here are lost.
# Who is a letter from, and may it go in? The stations 1 to 8 for incoming letters.
#
# In: the list of a mailbox, a line an entry, `KEY WORD EVIDENCE ALWAYS`, the last one `*` for strangers; then the head
# of a letter with the filter's facts; and from the environment SENDER (of the envelope), REPLY_TO (`hold`: a letter
# whose answers would go elsewhere), ASLEEP (`yes`: only who can always write is let in now), PASS (the one station that lets this letter through, whatever it says).
# Out: one line, `VERDICT STATION REASON FROM PROOF ENTRY`; none when the list is not whole, and the letter waits.

function fact(line,    name) {
  name = tolower(substr(line, 1, index(line, ":") - 1))
  count[name]++
  value[name] = substr(line, index(line, ":") + 2)
}

function decide(verdict, station, reason) {
  if (verdict == "hold" && station == ENVIRON["PASS"] && reason != "blocked") return 0
  print verdict, station, reason, (address == "" ? "-" : address), (how == "" ? proof : proof "/" how), entry
  decided = 1
  return 1
}

# It may go in: now, or in the morning. Who can always write to somebody does so at any hour.
function let_in(at_any_hour) {
  if (ENVIRON["ASLEEP"] == "yes" && !at_any_hour) return decide("later", "in-7", "hours")
  return decide("deliver", "in-8", "-")
}

# The line of the list that speaks of this sender: his address, his address with any extension, his domain, strangers.
function found(    at, part, domain, plus) {
  at = index(address, "@"); part = substr(address, 1, at - 1); domain = substr(address, at)
  plus = index(part, "+")
  if (address in word) return address
  if (plus && (substr(part, 1, plus) domain) in word) return substr(part, 1, plus) domain
  # A program that reports in the name of a domain is nobody of that domain.
  if (domain in word && !(ENVIRON["SENDER"] == "" && part ~ /^(mailer-daemon|postmaster)$/)) return domain
  return "*"
}

# Whether the letter shows what the line asks for.
function shows(asked) {
  if (asked == "login") return proof == "pass" && how == "login"
  if (asked == "proven") return proof == "pass"
  if (asked == "pinned") return proof == "pass" || (proof == "none" && how == evidence[entry])
  if (asked == "unproven") return proof == "pass" || proof == "none" || (proof == "fail" && how == "dmarc")
  return asked == "anyone"
}

# A mailing list is who sends, not who once wrote: only the sender's own is he himself.
function through_a_list(    list, domain) {
  list = value["x-mailadmin-list"]; domain = substr(address, index(address, "@") + 1)
  if (list == "none" || how == "login") return 0
  return list != domain && substr(list, length(list) - length(domain)) != "." domain
}

function stations(    asked, spam) {
  # What our own Postfix reports of her letter is hers: nobody else can have it written to her.
  if (known && proof == "report" && ENVIRON["SENDER"] == "") return let_in(0)
  if (!known || proof ~ /^(malformed|report)$/) return decide("hold", "in-1", "malformed") || let_in(0)
  # The panel writes to everybody, and with its own login only.
  if (address == "@OWN@" && shows("login")) return let_in(1)
  entry = found(); asked = word[entry]
  if (asked == "blocked") return decide("hold", "in-2", "blocked")
  spam = value["x-mailadmin-spam"] ~ /^spam /
  if (entry != "*" && asked != "stranger") {
    if (through_a_list()) { if (decide("hold", "in-5", "stranger")) return }
    else if (!shows(asked)) { if (decide("hold", "in-3", "unproven")) return }
  } else if (asked != "anyone") {
    if (spam && decide("hold", "in-5", "spam")) return
    if (asked == "stranger" && decide("hold", "in-5", "stranger")) return
    if (!shows(asked) && decide("hold", "in-5", "unproven")) return
  }
  if (always[entry] != "always" && ENVIRON["REPLY_TO"] == "hold" && value["x-mailadmin-reply-to"] !~ /^(none|same)$/)
    if (decide("hold", "in-6", "content")) return
  let_in(always[entry] == "always")
}

FNR == NR {
  word[$1] = $2; evidence[$1] = $3; always[$1] = $4
  whole = ($1 == "*" && NF == 4)
  next
}

tolower($0) ~ /^x-mailadmin-/ { fact($0) }
/^$/ { exit }

END {
  if (!whole) exit 1
  known = 1; entry = "-"
  split("from reply-to list spam", names, " ")
  for (number in names) if (count["x-mailadmin-" names[number]] != 1) known = 0
  split(value["x-mailadmin-from"], from, " ")
  proof = known ? from[1] : "unknown"; address = from[2]; how = from[3]
  # What is not of the grammar of the facts is no fact.
  if (address !~ /^[!-~]+@[a-z0-9.-]+$/ || length(address) > 254 || how !~ /^[a-z0-9:.\/-]+$/) {
    if (proof != "malformed" && value["x-mailadmin-from"] != "report") proof = known ? "malformed" : "unknown"
    address = how = ""
  }
  stations()
}

# Written by mailadmin at every start of the private mail host; changes made here are lost.
# Puts a word before the subject of a letter. In: its head, and TAG from the environment. Out: the head.
!done && tolower($0) ~ /^subject[ \t]*:/ {
  text = substr($0, index($0, ":") + 1); sub(/^[ \t]+/, "", text)
  print "Subject: " ENVIRON["TAG"] " " text
  done = 1
  next
}
!done && /^$/ { print "Subject: " ENVIRON["TAG"]; done = 1 }
{ print }

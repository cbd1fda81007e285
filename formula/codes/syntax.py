"""Syntax and size: what makes the service refuse a formula."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

SYNTAX: Mapping[str, Code] = by_code(
    (
        Code(
            "F100",
            "error",
            "the formula is too long",
            "The service takes 8192 characters and refuses the whole formula if there is one more; comments, blanks "
            "and line ends count. Shorten the comments first. What every pool has in common can go into the program "
            "that writes the formula.",
        ),
        Code(
            "F101",
            "error",
            "the formula has too many statements",
            "The service takes 100 statements and refuses the whole formula if there is one more. Variables that are "
            "used once can be written where they are used.",
        ),
        Code(
            "F102",
            "error",
            "nested too deeply",
            "Parentheses, arguments, signs and branches stand in each other more than 200 deep. No person writes that; "
            "a program that makes formulas may. Give the inner parts variables of their own. A long chain such as a + "
            "b + c is not nested and may be as long as it likes.",
        ),
        Code(
            "F103",
            "error",
            "the number is too large",
            "Numbers are doubles, which end at about 1.8e308. A number beyond that would be infinite, and no pool has "
            "infinitely many nodes. For \"no limit\" write what you would really pay for.",
            "$TargetDedicatedNodes = min(1e999, 4);",
            "$TargetDedicatedNodes = min(100, 4);",
        ),
        Code(
            "F104",
            "error",
            "unexpected text",
            "Something stands where it cannot stand: a parenthesis too many, a `,` outside of a call, a word of "
            "another language. The language has assignments and expressions only, no if, no loops, no blocks: a choice "
            "is written condition ? a : b.",
            "$TargetDedicatedNodes = max(1, 2));",
            "$TargetDedicatedNodes = max(1, 2);",
        ),
        Code(
            "F105",
            "error",
            "a `;` is missing between two statements",
            "A line end does not end a statement, only `;` does, so that the service reads two lines as one expression "
            "and refuses the formula. The last statement may go without. Examples in the service's own documentation "
            "have this mistake.",
            "nodes = 4\n$TargetDedicatedNodes = nodes;",
            "nodes = 4;\n$TargetDedicatedNodes = nodes;",
        ),
        Code(
            "F106",
            "error",
            "invalid character",
            "The character has no meaning in the language. Often it cannot be seen: a blank that does not break, "
            "copied from a web page or a word processor, looks like any other blank and is none.",
            "$TargetDedicatedNodes =\u00a04;",
            "$TargetDedicatedNodes = 4;",
        ),
        Code(
            "F107",
            "error",
            "`#` does not start a comment",
            "Comments start with // and go to the end of the line. The service answers `Invalid character` to a `#` "
            "and takes the formula not at all.",
            "# one node\n$TargetDedicatedNodes = 1;",
            "// one node\n$TargetDedicatedNodes = 1;",
        ),
        Code(
            "F108",
            "error",
            "`/* */` is not a comment",
            "Comments start with // and go to the end of the line; there is no other form. A comment of several lines "
            "needs // before each.",
            "/* one node */\n$TargetDedicatedNodes = 1;",
            "// one node\n$TargetDedicatedNodes = 1;",
        ),
        Code(
            "F109",
            "error",
            "strings need double quotes",
            "A string stands in plain double quotes. Single quotes are refused, and so are the curved ones that word "
            "processors and web pages put in their place.",
            "$age = time() - time('2026-01-31');",
            '$age = time() - time("2026-01-31");',
        ),
        Code(
            "F110",
            "error",
            "a quote is escaped",
            "In JSON a quote is written with a backslash before it; in the formula itself there is no backslash. If it "
            "is left in the text, the formula was escaped twice, or copied out of a JSON file as it stands there.",
            '$age = time() - time(\\"2026-01-31\\");',
            '$age = time() - time("2026-01-31");',
        ),
        Code(
            "F111",
            "error",
            "a template placeholder is left in the text",
            "A program was to put a value here and did not: the template was not rendered, or a raw string kept it "
            "from being filled in. The service refuses the formula, and the pool keeps the one it had.",
            "$TargetDedicatedNodes = ${maxNodes};",
            "$TargetDedicatedNodes = 8;",
        ),
        Code(
            "F112",
            "error",
            "the string is not closed",
            "A string ends with a double quote on the line where it began. Without it the rest of the line is taken "
            "for text.",
            '$age = time() - time("2026-01-31);',
            '$age = time() - time("2026-01-31");',
        ),
        Code(
            "F113",
            "error",
            "a parenthesis is not closed",
            "There are more opening parentheses than closing ones in this statement. The place that is shown is the "
            "innermost one that is still open at its end.",
            "$TargetDedicatedNodes = min(10, max(0, 4);",
            "$TargetDedicatedNodes = min(10, max(0, 4));",
        ),
        Code(
            "F114",
            "error",
            "no such operator",
            "The operators are + - * / < <= == >= > != && || ! and ?:. There is no remainder, no power, no += and no "
            "++, and `=` only assigns: to compare, write ==.",
            "$TargetDedicatedNodes = 7 % 4;",
            "$TargetDedicatedNodes = 7 - 4 * floor(7 / 4);",
        ),
        Code(
            "F115",
            "error",
            "there are no square brackets",
            "The documentation writes vectors as [1, 2, 3], and the service does not read them so: vec(1, 2, 3) makes "
            "one. An element of a vector v is val(v, 0), counted from 0.",
            "$TargetDedicatedNodes = max([1, 2, 3]);",
            "$TargetDedicatedNodes = max(vec(1, 2, 3));",
        ),
        Code(
            "F116",
            "error",
            "not a decimal number",
            "Numbers are decimal: 12, 0.25, 1e3. Hexadecimal ones do not exist, and a name cannot start with a digit.",
            "$TargetDedicatedNodes = 0x10;",
            "$TargetDedicatedNodes = 16;",
        ),
        Code(
            "F117",
            "error",
            "the formula ends in the middle of an expression",
            "An operator has nothing to its right, or a choice has no `:`. Often a line was lost when the formula was "
            "copied, or a template put nothing where a value was to stand.",
            "$TargetDedicatedNodes = 4 + ;",
            "$TargetDedicatedNodes = 4 + 1;",
        ),
    )
)

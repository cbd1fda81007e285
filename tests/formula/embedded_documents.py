"""Documents of every kind with formulas, and what is to be found in them."""

POOL = '{"id": "p", "autoScaleFormula": "a = 1;\\n$TargetDedicatedNodes = \\"\\u0024x\\";"}'

ARM = """\
{
  // comments are allowed
  "parameters": {"most": {"type": "int"}, "given": {"type": "string", "defaultValue": "p = 1;"}},
  "variables": {"plain": "v = 1;", "joined": "[concat('m = ', parameters('most'), '; s = ''x'';\\n', 'n = m;')]"},
  "resources": [
    {"properties": {"scaleSettings": {"autoScale": {"formula": "[variables('joined')]"}}}},
    {"properties": {"scaleSettings": {"autoscale": {"Formula": "[variables('plain')]"}}}},
    {"properties": {"scaleSettings": {"autoScale": {"formula": "[parameters('given')]"}}}},
    {"properties": {"scaleSettings": {"autoScale": {"formula": "
      a = 1;
      b = a;"}}}},
    {"properties": {"scaleSettings": {"autoScale": {"formula":
      "[format('a = {0:N} * {{1}}; {1}', union(1, 2), 'b;')]"}}}},
    {"properties": {"scaleSettings": {"fixedScale": {"targetDedicatedNodes": 2}}}},
  ],
}
"""

TERRAFORM = """\
locals {
  kept = "k = ${var.deep["a }"]};\\n"  # a comment with "quotes" and <<EOF
}
resource "azurerm_batch_pool" "main" {
  name = "x-${format("%s", "}")}"
  auto_scale {
    formula = <<-EOF
      // up to ${var.most}
      most = ${var.most};
        text = "$${kept}";

      $TargetDedicatedNodes = most;
    EOF
  }
}
resource "azurerm_batch_pool" "other" {
  dynamic "auto_scale" {
    for_each = [1]
    content {
      formula = <<EOF
  a = 1;
EOF
    }
  }
  auto_scale { formula = local.kept }
}
resource "azapi_resource" "pool" {
  body = jsonencode({ properties = { scaleSettings = { autoScale = { formula = "t\\u0041 = 1;" } } } })
}
variable "autoscale_formula" {
  default = "d = 1;"
}
"""

BICEP = """\
#disable-next-line no-unused-vars
param most int = 3 // it's a comment
var lines = '''
  a = ${most};
b = "it's";
'''
resource pool 'Microsoft.Batch/batchAccounts/pools@2024-02-01' = {
  properties: {
    scaleSettings: { autoScale: { formula: lines, evaluationInterval: 'PT5M' } }
  }
}
resource other 'Microsoft.Batch/batchAccounts/pools@2024-02-01' = {
  properties: {
    scaleSettings: { autoScale: { formula: 'a = ${most + int('3')};\\n b = \\'x\\' \\${c} \\u{24}d' } }
  }
}
param autoScaleFormula string = $'''m = ${most};'''
"""

YAML = """\
pools:
  - id: literal
    autoScaleFormula: |
      a = 1;

        b = a;   // c
    # a comment
  - autoScaleFormula: >-
      a = 1;
      b = 2;
        c = 3;

      d = 4;
  - autoScaleFormula: "a = 1;\\tb = \\"x\\\\y\\";
       c = \\
       \\u0032;"
  - autoScaleFormula: 'a = ''x'';

      b = 2;'
  - autoScaleFormula: a = 1;
      b = 2
  - {autoScaleFormula: a = 1;}
  - autoScaleFormula: &kept !!str |2-
         a = 1;
  - autoScaleFormula: *kept
  - autoScaleFormula: ~
shared: &shared {autoScale: {formula: s = 1;}}
"""

# Document, then for each formula: where it is, how it reads, how many placeholders are numbers in it.
FOUND = {
    "f.formula": ("a = 1;\r\n", [("", "a = 1;\r\n", 0)]),
    "anything.txt": ("\ufeffa = 1;", [("", "a = 1;", 0)]),
    "p.json": (POOL, [("autoScaleFormula", 'a = 1;\n$TargetDedicatedNodes = "$x";', 0)]),
    "list.json": (
        '[{"a b": {"autoScaleFormula": "a;"}}, {"autoScaleFormula": null}]',
        [("[0]['a b'].autoScaleFormula", "a;", 0)],
    ),
    "parameters.json": (
        '{"parameters": {"autoScaleFormula": {"value": "a;"}}}',
        [("parameters.autoScaleFormula.value", "a;", 0)],
    ),
    "arm.json": (
        ARM,
        [
            ("parameters.given.defaultValue", "p = 1;", 0),
            ("variables.plain", "v = 1;", 0),
            ("variables.joined", "m = 1.0; s = 'x';\nn = m;", 1),
            (
                "resources[3].properties.scaleSettings.autoScale.formula",
                "\n      a = 1;\n      b = a;",
                0,
            ),
            ("resources[4].properties.scaleSettings.autoScale.formula", "a = 1.0 * {1}; b;", 1),
        ],
    ),
    "main.tf": (
        TERRAFORM,
        [
            ("locals.kept", "k = 1.0;\n", 1),
            (
                "resource.azurerm_batch_pool.main.auto_scale.formula",
                '// up to 1.0\nmost = 1.00;\n  text = "${kept}";\n\n$TargetDedicatedNodes = most;\n',
                1,
            ),
            ("resource.azurerm_batch_pool.other.dynamic.auto_scale.content.formula", "  a = 1;\n", 0),
            (
                "resource.azapi_resource.pool.body.properties.scaleSettings.autoScale.formula",
                "tA = 1;",
                0,
            ),
            ("variable.autoscale_formula.default", "d = 1;", 0),
        ],
    ),
    "main.tf.json": (
        '{"resource": {"azurerm_batch_pool": {"p": {"auto_scale": [{"formula": "a = ${var.b[\\"x\\"]}; $${c}"}]}}}}',
        [("resource.azurerm_batch_pool.p.auto_scale[0].formula", "a = 1.0; ${c}", 1)],
    ),
    "main.bicep": (
        BICEP,
        [
            ("var.lines", "  a = ${most};\nb = \"it's\";\n", 0),
            (
                "resource.other.properties.scaleSettings.autoScale.formula",
                "a = 1.0;\n b = 'x' ${c} $d",
                1,
            ),
            ("param.autoScaleFormula", "m = 1.0;", 1),
        ],
    ),
    "w.yaml": (
        YAML,
        [
            ("pools[0].autoScaleFormula", "a = 1;\n\n  b = a;   // c\n", 0),
            ("pools[1].autoScaleFormula", "a = 1; b = 2;\n  c = 3;\n\nd = 4;", 0),
            ("pools[2].autoScaleFormula", 'a = 1;\tb = "x\\y"; c = 2;', 0),
            ("pools[3].autoScaleFormula", "a = 'x';\nb = 2;", 0),
            ("pools[4].autoScaleFormula", "a = 1; b = 2", 0),
            ("pools[5].autoScaleFormula", "a = 1;", 0),
            ("pools[6].autoScaleFormula", "   a = 1;", 0),
            ("shared.autoScale.formula", "s = 1;", 0),
        ],
    ),
    "two.yml": (
        "autoScaleFormula: a;\n---\nautoScaleFormula: b;\n",
        [("autoScaleFormula", "a;", 0), ("[1].autoScaleFormula", "b;", 0)],
    ),
    # By what they hold:
    "<stdin>": (POOL, [("autoScaleFormula", 'a = 1;\n$TargetDedicatedNodes = "$x";', 0)]),
    "main.txt": (
        'resource "azurerm_batch_pool" "p" {\n auto_scale {\n formula = "a;"\n}\n}\n',
        [("resource.azurerm_batch_pool.p.auto_scale.formula", "a;", 0)],
    ),
    "b.txt": (
        "resource p 'Microsoft.Batch/batchAccounts/pools@1' = {\n autoScaleFormula: 'a;'\n}",
        [("resource.p.autoScaleFormula", "a;", 0)],
    ),
    "y.txt": ("- autoScaleFormula: a;\n", [("[0].autoScaleFormula", "a;", 0)]),
}

// deno-lint-ignore-file
// deno-fmt-ignore-file
// Made from run_schema.json by compile_run_schema.ts.
"use strict";
export const validate = validate20;
export default validate20;
const schema31 = {"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:zclab:run:2","title":"One run of one zclab lab","description":"What `deno task lab --json FILE` writes. Units are in the names or in the documentation of the lab. What has no value is null. Readers keep properties that they do not know.","type":"object","required":["schema","lab","invocation","parameters","seed","environment","code","startedAt","complete","trials","summary"],"properties":{"schema":{"const":"zclab/run/2"},"lab":{"type":"string","description":"The lab's name, such as tx-copy-vs-zc."},"invocation":{"description":"What was asked for: with the same code it gives the same run again. Null in documents that were made from an older schema.","oneOf":[{"type":"null"},{"$ref":"#/$defs/invocation"}]},"parameters":{"type":"object","description":"The lab's parameters with their defaults filled in, the seed among them."},"seed":{"description":"The seed of everything random.","oneOf":[{"type":"null"},{"$ref":"#/$defs/seed"}]},"environment":{"$ref":"#/$defs/environment"},"code":{"$ref":"#/$defs/code"},"startedAt":{"description":"When the run started.","oneOf":[{"type":"null"},{"$ref":"#/$defs/dateTime"}]},"complete":{"type":"boolean","description":"False if the run was stopped before its last trial."},"trials":{"type":"array","description":"Every trial in the order in which it ran, warm-up and controls included.","items":{"$ref":"#/$defs/trial"}},"summary":{"type":"array","description":"What the trials come to: the rows of the table that the lab printed.","items":{"type":"object"}},"table":{"$ref":"#/$defs/table"},"views":{"type":"array","description":"What the microscope saw of a row, or of two: first of the one that the other is compared with. Absent where nobody looked.","items":{"$ref":"#/$defs/view"}}},"$defs":{"view":{"type":"object","description":"The system calls of the thread that looked, in one window.","required":["label","factors","work","elsewhere","functions","calls"],"properties":{"label":{"type":"string","description":"What the row is called."},"factors":{"type":"object","additionalProperties":{"$ref":"#/$defs/factor"}},"work":{"description":"How much work was done in the window; null if it was the whole trial.","oneOf":[{"type":"null"},{"$ref":"#/$defs/work"}]},"elsewhere":{"type":"object","description":"Instructions in the window that are not in the calls.","required":["exceptions","interrupts","otherThreads","userSpace"],"properties":{"exceptions":{"$ref":"#/$defs/count","description":"In page faults and other exceptions of the thread that looked."},"interrupts":{"$ref":"#/$defs/count"},"otherThreads":{"$ref":"#/$defs/count","description":"In the kernel for other threads."},"userSpace":{"$ref":"#/$defs/count"}}},"functions":{"type":"array","description":"The names of the functions.","items":{"type":"string"}},"calls":{"type":"array","description":"The calls, callers before what they called: the number of callers, the place among the functions, instructions that it executed itself, bytes of payload that it copied. Of very many the smallest are summed, in one call of each caller.","items":{"$ref":"#/$defs/call"}}}},"call":{"title":"four whole numbers","type":"array","items":{"$ref":"#/$defs/count"},"minItems":4,"maxItems":4},"work":{"type":"object","required":["count","unit"],"properties":{"count":{"$ref":"#/$defs/count"},"unit":{"type":"string","description":"What one is called, such as request."}}},"table":{"type":"object","description":"How the rows of the summary are to be read. Absent where the lab did not say.","required":["title","factors","baseline","within","columns"],"properties":{"title":{"type":"string","description":"What the lab is about."},"factors":{"type":"array","items":{"type":"object","required":["name","title"],"properties":{"name":{"type":"string"},"title":{"type":"string"}}}},"baseline":{"type":"object","description":"The factor values that make a row the baseline."},"within":{"type":"array","description":"Factors that a row has in common with its baseline.","items":{"type":"string"}},"columns":{"type":"array","items":{"$ref":"#/$defs/column"}}}},"column":{"type":"object","required":["name","measure","title","unit","better","evidence","verdict","ratio"],"properties":{"name":{"type":"string","description":"Its name in the rows."},"measure":{"type":["string","null"],"description":"The measure of the trials that it sums up; null if it follows from others."},"title":{"type":"string"},"unit":{"type":"string","description":"Such as s, B or B/s; empty for plain numbers."},"better":{"enum":["higher","lower",null]},"evidence":{"type":"boolean"},"verdict":{"type":"boolean","description":"Whether rows are compared by it."},"ratio":{"type":"boolean"}}},"seed":{"title":"a whole number from 0 to 4294967295","type":"integer","minimum":0,"maximum":4294967295},"count":{"title":"a whole number that is not negative","type":"integer","minimum":0,"maximum":9007199254740991},"dateTime":{"title":"a date and time","type":"string","description":"Date and time, ISO 8601.","pattern":"^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$"},"factor":{"type":["string","number","boolean","null"]},"invocation":{"type":"object","required":["options","quick","seed","repeats"],"properties":{"options":{"type":"object","description":"The lab's own options that were given. The others had the defaults of that version; parameters has their values."},"quick":{"type":"boolean","description":"Whether a short run was asked for."},"seed":{"$ref":"#/$defs/seed"},"repeats":{"description":"How often each trial was to be repeated; null if it was not given.","oneOf":[{"type":"null"},{"$ref":"#/$defs/count"}]}}},"code":{"type":"object","required":["version","commit","dirty"],"properties":{"version":{"type":["string","null"],"description":"The version of zclab."},"commit":{"type":["string","null"],"description":"The git commit, in full."},"dirty":{"type":["boolean","null"],"description":"Whether files that git knows differed from that commit."},"labFile":{"type":"object","description":"The file of its own that the lab was in. Absent where the lab is one of zclab's.","required":["name","sha256"],"properties":{"name":{"type":"string","description":"Its name, without the folder."},"sha256":{"type":"string","description":"The SHA-256 of its text, in hexadecimal."}}}}},"environment":{"type":"object","description":"What the run depended on. What the machine did not tell is null.","required":["versions","kernel","machine","user","limits","sysctls","extra"],"properties":{"clock":{"enum":["time","instructions"],"description":"What the clock counts. With instructions each instruction is one nanosecond: durations and rates of such a run are no time, and seconds are 1000000000 instructions. Absent where the document did not say: time."},"versions":{"type":"object","description":"Versions of what took part."},"kernel":{"type":"object","description":"Release, build, clock source and what else numbers depend on.","properties":{"clearsOnAllocation":{"type":["boolean","null"],"description":"Whether the kernel clears memory when it is allocated (init_on_alloc). Null where it did not tell, absent where the document did not say."}}},"machine":{"type":"object","description":"Processor and memory."},"user":{"type":"object","description":"User and capabilities."},"limits":{"type":"object","description":"Resource limits."},"sysctls":{"type":"object","description":"Kernel settings by their sysctl names; null where the kernel has none."},"extra":{"type":"object","description":"What the lab adds, such as its links."}}},"trial":{"type":"object","required":["round","order","warmUp","control","factors","measures","startedAt","seconds"],"properties":{"round":{"$ref":"#/$defs/count","description":"The round, from 0, warm-up rounds first."},"order":{"$ref":"#/$defs/count","description":"The place in its round, from 0."},"warmUp":{"type":"boolean","description":"Whether no statistic counts it."},"control":{"type":"boolean","description":"Whether it is the second run of the baseline in its round."},"factors":{"type":"object","description":"The combination.","additionalProperties":{"$ref":"#/$defs/factor"}},"measures":{"type":"object","description":"What it measured, raw."},"startedAt":{"$ref":"#/$defs/dateTime"},"seconds":{"type":"number","minimum":0,"description":"How long it took, by the clock that the environment names."},"covariates":{"type":"object","description":"What the machine did meanwhile, such as stolen time.","additionalProperties":{"type":["number","null"]}},"clock":{"const":"instructions","description":"What the clock counted by which it was measured; absent if that was time."}}}}};
const schema33 = {"title":"a whole number from 0 to 4294967295","type":"integer","minimum":0,"maximum":4294967295};
const schema36 = {"type":"object","description":"What the run depended on. What the machine did not tell is null.","required":["versions","kernel","machine","user","limits","sysctls","extra"],"properties":{"clock":{"enum":["time","instructions"],"description":"What the clock counts. With instructions each instruction is one nanosecond: durations and rates of such a run are no time, and seconds are 1000000000 instructions. Absent where the document did not say: time."},"versions":{"type":"object","description":"Versions of what took part."},"kernel":{"type":"object","description":"Release, build, clock source and what else numbers depend on.","properties":{"clearsOnAllocation":{"type":["boolean","null"],"description":"Whether the kernel clears memory when it is allocated (init_on_alloc). Null where it did not tell, absent where the document did not say."}}},"machine":{"type":"object","description":"Processor and memory."},"user":{"type":"object","description":"User and capabilities."},"limits":{"type":"object","description":"Resource limits."},"sysctls":{"type":"object","description":"Kernel settings by their sysctl names; null where the kernel has none."},"extra":{"type":"object","description":"What the lab adds, such as its links."}}};
const schema37 = {"type":"object","required":["version","commit","dirty"],"properties":{"version":{"type":["string","null"],"description":"The version of zclab."},"commit":{"type":["string","null"],"description":"The git commit, in full."},"dirty":{"type":["boolean","null"],"description":"Whether files that git knows differed from that commit."},"labFile":{"type":"object","description":"The file of its own that the lab was in. Absent where the lab is one of zclab's.","required":["name","sha256"],"properties":{"name":{"type":"string","description":"Its name, without the folder."},"sha256":{"type":"string","description":"The SHA-256 of its text, in hexadecimal."}}}}};
const schema38 = {"title":"a date and time","type":"string","description":"Date and time, ISO 8601.","pattern":"^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$"};
const schema32 = {"type":"object","required":["options","quick","seed","repeats"],"properties":{"options":{"type":"object","description":"The lab's own options that were given. The others had the defaults of that version; parameters has their values."},"quick":{"type":"boolean","description":"Whether a short run was asked for."},"seed":{"$ref":"#/$defs/seed"},"repeats":{"description":"How often each trial was to be repeated; null if it was not given.","oneOf":[{"type":"null"},{"$ref":"#/$defs/count"}]}}};
const schema34 = {"title":"a whole number that is not negative","type":"integer","minimum":0,"maximum":9007199254740991};

function validate21(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate21.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if(((((data.options === undefined) && (missing0 = "options")) || ((data.quick === undefined) && (missing0 = "quick"))) || ((data.seed === undefined) && (missing0 = "seed"))) || ((data.repeats === undefined) && (missing0 = "repeats"))){
validate21.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0}}];
return false;
}
else {
if(data.options !== undefined){
let data0 = data.options;
const _errs1 = errors;
if(!(data0 && typeof data0 == "object" && !Array.isArray(data0))){
validate21.errors = [{instancePath:instancePath+"/options",schemaPath:"#/properties/options/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.quick !== undefined){
const _errs3 = errors;
if(typeof data.quick !== "boolean"){
validate21.errors = [{instancePath:instancePath+"/quick",schemaPath:"#/properties/quick/type",keyword:"type",params:{type: "boolean"}}];
return false;
}
var valid0 = _errs3 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.seed !== undefined){
let data2 = data.seed;
const _errs5 = errors;
const _errs6 = errors;
if(!(((typeof data2 == "number") && (!(data2 % 1) && !isNaN(data2))) && (isFinite(data2)))){
validate21.errors = [{instancePath:instancePath+"/seed",schemaPath:"#/$defs/seed/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs6){
if((typeof data2 == "number") && (isFinite(data2))){
if(data2 > 4294967295 || isNaN(data2)){
validate21.errors = [{instancePath:instancePath+"/seed",schemaPath:"#/$defs/seed/maximum",keyword:"maximum",params:{comparison: "<=", limit: 4294967295}}];
return false;
}
else {
if(data2 < 0 || isNaN(data2)){
validate21.errors = [{instancePath:instancePath+"/seed",schemaPath:"#/$defs/seed/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid0 = _errs5 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.repeats !== undefined){
let data3 = data.repeats;
const _errs8 = errors;
const _errs9 = errors;
let valid2 = false;
let passing0 = null;
const _errs10 = errors;
if(data3 !== null){
const err0 = {instancePath:instancePath+"/repeats",schemaPath:"#/properties/repeats/oneOf/0/type",keyword:"type",params:{type: "null"}};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
var _valid0 = _errs10 === errors;
if(_valid0){
valid2 = true;
passing0 = 0;
}
const _errs12 = errors;
const _errs13 = errors;
if(!(((typeof data3 == "number") && (!(data3 % 1) && !isNaN(data3))) && (isFinite(data3)))){
const err1 = {instancePath:instancePath+"/repeats",schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
if(errors === _errs13){
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 > 9007199254740991 || isNaN(data3)){
const err2 = {instancePath:instancePath+"/repeats",schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
else {
if(data3 < 0 || isNaN(data3)){
const err3 = {instancePath:instancePath+"/repeats",schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
}
}
var _valid0 = _errs12 === errors;
if(_valid0 && valid2){
valid2 = false;
passing0 = [passing0, 1];
}
else {
if(_valid0){
valid2 = true;
passing0 = 1;
}
}
if(!valid2){
const err4 = {instancePath:instancePath+"/repeats",schemaPath:"#/properties/repeats/oneOf",keyword:"oneOf",params:{passingSchemas: passing0}};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
validate21.errors = vErrors;
return false;
}
else {
errors = _errs9;
if(vErrors !== null){
if(_errs9){
vErrors.length = _errs9;
}
else {
vErrors = null;
}
}
}
var valid0 = _errs8 === errors;
}
else {
var valid0 = true;
}
}
}
}
}
}
else {
validate21.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
validate21.errors = vErrors;
return errors === 0;
}
validate21.evaluated = {"props":{"options":true,"quick":true,"seed":true,"repeats":true},"dynamicProps":false,"dynamicItems":false};

const schema39 = {"type":"object","required":["round","order","warmUp","control","factors","measures","startedAt","seconds"],"properties":{"round":{"$ref":"#/$defs/count","description":"The round, from 0, warm-up rounds first."},"order":{"$ref":"#/$defs/count","description":"The place in its round, from 0."},"warmUp":{"type":"boolean","description":"Whether no statistic counts it."},"control":{"type":"boolean","description":"Whether it is the second run of the baseline in its round."},"factors":{"type":"object","description":"The combination.","additionalProperties":{"$ref":"#/$defs/factor"}},"measures":{"type":"object","description":"What it measured, raw."},"startedAt":{"$ref":"#/$defs/dateTime"},"seconds":{"type":"number","minimum":0,"description":"How long it took, by the clock that the environment names."},"covariates":{"type":"object","description":"What the machine did meanwhile, such as stolen time.","additionalProperties":{"type":["number","null"]}},"clock":{"const":"instructions","description":"What the clock counted by which it was measured; absent if that was time."}}};
const schema42 = {"type":["string","number","boolean","null"]};
const pattern4 = new RegExp("^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$", "u");

function validate23(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate23.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if(((((((((data.round === undefined) && (missing0 = "round")) || ((data.order === undefined) && (missing0 = "order"))) || ((data.warmUp === undefined) && (missing0 = "warmUp"))) || ((data.control === undefined) && (missing0 = "control"))) || ((data.factors === undefined) && (missing0 = "factors"))) || ((data.measures === undefined) && (missing0 = "measures"))) || ((data.startedAt === undefined) && (missing0 = "startedAt"))) || ((data.seconds === undefined) && (missing0 = "seconds"))){
validate23.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0}}];
return false;
}
else {
if(data.round !== undefined){
let data0 = data.round;
const _errs1 = errors;
const _errs2 = errors;
if(!(((typeof data0 == "number") && (!(data0 % 1) && !isNaN(data0))) && (isFinite(data0)))){
validate23.errors = [{instancePath:instancePath+"/round",schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs2){
if((typeof data0 == "number") && (isFinite(data0))){
if(data0 > 9007199254740991 || isNaN(data0)){
validate23.errors = [{instancePath:instancePath+"/round",schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}}];
return false;
}
else {
if(data0 < 0 || isNaN(data0)){
validate23.errors = [{instancePath:instancePath+"/round",schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.order !== undefined){
let data1 = data.order;
const _errs4 = errors;
const _errs5 = errors;
if(!(((typeof data1 == "number") && (!(data1 % 1) && !isNaN(data1))) && (isFinite(data1)))){
validate23.errors = [{instancePath:instancePath+"/order",schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs5){
if((typeof data1 == "number") && (isFinite(data1))){
if(data1 > 9007199254740991 || isNaN(data1)){
validate23.errors = [{instancePath:instancePath+"/order",schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}}];
return false;
}
else {
if(data1 < 0 || isNaN(data1)){
validate23.errors = [{instancePath:instancePath+"/order",schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid0 = _errs4 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.warmUp !== undefined){
const _errs7 = errors;
if(typeof data.warmUp !== "boolean"){
validate23.errors = [{instancePath:instancePath+"/warmUp",schemaPath:"#/properties/warmUp/type",keyword:"type",params:{type: "boolean"}}];
return false;
}
var valid0 = _errs7 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.control !== undefined){
const _errs9 = errors;
if(typeof data.control !== "boolean"){
validate23.errors = [{instancePath:instancePath+"/control",schemaPath:"#/properties/control/type",keyword:"type",params:{type: "boolean"}}];
return false;
}
var valid0 = _errs9 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.factors !== undefined){
let data4 = data.factors;
const _errs11 = errors;
if(errors === _errs11){
if(data4 && typeof data4 == "object" && !Array.isArray(data4)){
for(const key0 in data4){
let data5 = data4[key0];
const _errs14 = errors;
if((((typeof data5 !== "string") && (!((typeof data5 == "number") && (isFinite(data5))))) && (typeof data5 !== "boolean")) && (data5 !== null)){
validate23.errors = [{instancePath:instancePath+"/factors/" + key0.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/$defs/factor/type",keyword:"type",params:{type: schema42.type}}];
return false;
}
var valid3 = _errs14 === errors;
if(!valid3){
break;
}
}
}
else {
validate23.errors = [{instancePath:instancePath+"/factors",schemaPath:"#/properties/factors/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid0 = _errs11 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.measures !== undefined){
let data6 = data.measures;
const _errs17 = errors;
if(!(data6 && typeof data6 == "object" && !Array.isArray(data6))){
validate23.errors = [{instancePath:instancePath+"/measures",schemaPath:"#/properties/measures/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid0 = _errs17 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.startedAt !== undefined){
let data7 = data.startedAt;
const _errs19 = errors;
const _errs20 = errors;
if(errors === _errs20){
if(typeof data7 === "string"){
if(!pattern4.test(data7)){
validate23.errors = [{instancePath:instancePath+"/startedAt",schemaPath:"#/$defs/dateTime/pattern",keyword:"pattern",params:{pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$"}}];
return false;
}
}
else {
validate23.errors = [{instancePath:instancePath+"/startedAt",schemaPath:"#/$defs/dateTime/type",keyword:"type",params:{type: "string"}}];
return false;
}
}
var valid0 = _errs19 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.seconds !== undefined){
let data8 = data.seconds;
const _errs22 = errors;
if(errors === _errs22){
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 < 0 || isNaN(data8)){
validate23.errors = [{instancePath:instancePath+"/seconds",schemaPath:"#/properties/seconds/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
else {
validate23.errors = [{instancePath:instancePath+"/seconds",schemaPath:"#/properties/seconds/type",keyword:"type",params:{type: "number"}}];
return false;
}
}
var valid0 = _errs22 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.covariates !== undefined){
let data9 = data.covariates;
const _errs24 = errors;
if(errors === _errs24){
if(data9 && typeof data9 == "object" && !Array.isArray(data9)){
for(const key1 in data9){
let data10 = data9[key1];
const _errs27 = errors;
if((!((typeof data10 == "number") && (isFinite(data10)))) && (data10 !== null)){
validate23.errors = [{instancePath:instancePath+"/covariates/" + key1.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/covariates/additionalProperties/type",keyword:"type",params:{type: schema39.properties.covariates.additionalProperties.type}}];
return false;
}
var valid6 = _errs27 === errors;
if(!valid6){
break;
}
}
}
else {
validate23.errors = [{instancePath:instancePath+"/covariates",schemaPath:"#/properties/covariates/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid0 = _errs24 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.clock !== undefined){
const _errs29 = errors;
if("instructions" !== data.clock){
validate23.errors = [{instancePath:instancePath+"/clock",schemaPath:"#/properties/clock/const",keyword:"const",params:{allowedValue: "instructions"}}];
return false;
}
var valid0 = _errs29 === errors;
}
else {
var valid0 = true;
}
}
}
}
}
}
}
}
}
}
}
}
else {
validate23.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
validate23.errors = vErrors;
return errors === 0;
}
validate23.evaluated = {"props":{"round":true,"order":true,"warmUp":true,"control":true,"factors":true,"measures":true,"startedAt":true,"seconds":true,"covariates":true,"clock":true},"dynamicProps":false,"dynamicItems":false};

const schema44 = {"type":"object","description":"How the rows of the summary are to be read. Absent where the lab did not say.","required":["title","factors","baseline","within","columns"],"properties":{"title":{"type":"string","description":"What the lab is about."},"factors":{"type":"array","items":{"type":"object","required":["name","title"],"properties":{"name":{"type":"string"},"title":{"type":"string"}}}},"baseline":{"type":"object","description":"The factor values that make a row the baseline."},"within":{"type":"array","description":"Factors that a row has in common with its baseline.","items":{"type":"string"}},"columns":{"type":"array","items":{"$ref":"#/$defs/column"}}}};
const schema45 = {"type":"object","required":["name","measure","title","unit","better","evidence","verdict","ratio"],"properties":{"name":{"type":"string","description":"Its name in the rows."},"measure":{"type":["string","null"],"description":"The measure of the trials that it sums up; null if it follows from others."},"title":{"type":"string"},"unit":{"type":"string","description":"Such as s, B or B/s; empty for plain numbers."},"better":{"enum":["higher","lower",null]},"evidence":{"type":"boolean"},"verdict":{"type":"boolean","description":"Whether rows are compared by it."},"ratio":{"type":"boolean"}}};

function validate25(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate25.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if((((((data.title === undefined) && (missing0 = "title")) || ((data.factors === undefined) && (missing0 = "factors"))) || ((data.baseline === undefined) && (missing0 = "baseline"))) || ((data.within === undefined) && (missing0 = "within"))) || ((data.columns === undefined) && (missing0 = "columns"))){
validate25.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0}}];
return false;
}
else {
if(data.title !== undefined){
const _errs1 = errors;
if(typeof data.title !== "string"){
validate25.errors = [{instancePath:instancePath+"/title",schemaPath:"#/properties/title/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.factors !== undefined){
let data1 = data.factors;
const _errs3 = errors;
if(errors === _errs3){
if(Array.isArray(data1)){
var valid1 = true;
const len0 = data1.length;
for(let i0=0; i0<len0; i0++){
let data2 = data1[i0];
const _errs5 = errors;
if(errors === _errs5){
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
let missing1;
if(((data2.name === undefined) && (missing1 = "name")) || ((data2.title === undefined) && (missing1 = "title"))){
validate25.errors = [{instancePath:instancePath+"/factors/" + i0,schemaPath:"#/properties/factors/items/required",keyword:"required",params:{missingProperty: missing1}}];
return false;
}
else {
if(data2.name !== undefined){
const _errs7 = errors;
if(typeof data2.name !== "string"){
validate25.errors = [{instancePath:instancePath+"/factors/" + i0+"/name",schemaPath:"#/properties/factors/items/properties/name/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid2 = _errs7 === errors;
}
else {
var valid2 = true;
}
if(valid2){
if(data2.title !== undefined){
const _errs9 = errors;
if(typeof data2.title !== "string"){
validate25.errors = [{instancePath:instancePath+"/factors/" + i0+"/title",schemaPath:"#/properties/factors/items/properties/title/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid2 = _errs9 === errors;
}
else {
var valid2 = true;
}
}
}
}
else {
validate25.errors = [{instancePath:instancePath+"/factors/" + i0,schemaPath:"#/properties/factors/items/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid1 = _errs5 === errors;
if(!valid1){
break;
}
}
}
else {
validate25.errors = [{instancePath:instancePath+"/factors",schemaPath:"#/properties/factors/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
var valid0 = _errs3 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.baseline !== undefined){
let data5 = data.baseline;
const _errs11 = errors;
if(!(data5 && typeof data5 == "object" && !Array.isArray(data5))){
validate25.errors = [{instancePath:instancePath+"/baseline",schemaPath:"#/properties/baseline/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid0 = _errs11 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.within !== undefined){
let data6 = data.within;
const _errs13 = errors;
if(errors === _errs13){
if(Array.isArray(data6)){
var valid3 = true;
const len1 = data6.length;
for(let i1=0; i1<len1; i1++){
const _errs15 = errors;
if(typeof data6[i1] !== "string"){
validate25.errors = [{instancePath:instancePath+"/within/" + i1,schemaPath:"#/properties/within/items/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid3 = _errs15 === errors;
if(!valid3){
break;
}
}
}
else {
validate25.errors = [{instancePath:instancePath+"/within",schemaPath:"#/properties/within/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
var valid0 = _errs13 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.columns !== undefined){
let data8 = data.columns;
const _errs17 = errors;
if(errors === _errs17){
if(Array.isArray(data8)){
var valid4 = true;
const len2 = data8.length;
for(let i2=0; i2<len2; i2++){
let data9 = data8[i2];
const _errs19 = errors;
const _errs20 = errors;
if(errors === _errs20){
if(data9 && typeof data9 == "object" && !Array.isArray(data9)){
let missing2;
if(((((((((data9.name === undefined) && (missing2 = "name")) || ((data9.measure === undefined) && (missing2 = "measure"))) || ((data9.title === undefined) && (missing2 = "title"))) || ((data9.unit === undefined) && (missing2 = "unit"))) || ((data9.better === undefined) && (missing2 = "better"))) || ((data9.evidence === undefined) && (missing2 = "evidence"))) || ((data9.verdict === undefined) && (missing2 = "verdict"))) || ((data9.ratio === undefined) && (missing2 = "ratio"))){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2,schemaPath:"#/$defs/column/required",keyword:"required",params:{missingProperty: missing2}}];
return false;
}
else {
if(data9.name !== undefined){
const _errs22 = errors;
if(typeof data9.name !== "string"){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2+"/name",schemaPath:"#/$defs/column/properties/name/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid6 = _errs22 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data9.measure !== undefined){
let data11 = data9.measure;
const _errs24 = errors;
if((typeof data11 !== "string") && (data11 !== null)){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2+"/measure",schemaPath:"#/$defs/column/properties/measure/type",keyword:"type",params:{type: schema45.properties.measure.type}}];
return false;
}
var valid6 = _errs24 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data9.title !== undefined){
const _errs26 = errors;
if(typeof data9.title !== "string"){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2+"/title",schemaPath:"#/$defs/column/properties/title/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid6 = _errs26 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data9.unit !== undefined){
const _errs28 = errors;
if(typeof data9.unit !== "string"){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2+"/unit",schemaPath:"#/$defs/column/properties/unit/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid6 = _errs28 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data9.better !== undefined){
let data14 = data9.better;
const _errs30 = errors;
if(!(((data14 === "higher") || (data14 === "lower")) || (data14 === null))){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2+"/better",schemaPath:"#/$defs/column/properties/better/enum",keyword:"enum",params:{allowedValues: schema45.properties.better.enum}}];
return false;
}
var valid6 = _errs30 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data9.evidence !== undefined){
const _errs31 = errors;
if(typeof data9.evidence !== "boolean"){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2+"/evidence",schemaPath:"#/$defs/column/properties/evidence/type",keyword:"type",params:{type: "boolean"}}];
return false;
}
var valid6 = _errs31 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data9.verdict !== undefined){
const _errs33 = errors;
if(typeof data9.verdict !== "boolean"){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2+"/verdict",schemaPath:"#/$defs/column/properties/verdict/type",keyword:"type",params:{type: "boolean"}}];
return false;
}
var valid6 = _errs33 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data9.ratio !== undefined){
const _errs35 = errors;
if(typeof data9.ratio !== "boolean"){
validate25.errors = [{instancePath:instancePath+"/columns/" + i2+"/ratio",schemaPath:"#/$defs/column/properties/ratio/type",keyword:"type",params:{type: "boolean"}}];
return false;
}
var valid6 = _errs35 === errors;
}
else {
var valid6 = true;
}
}
}
}
}
}
}
}
}
}
else {
validate25.errors = [{instancePath:instancePath+"/columns/" + i2,schemaPath:"#/$defs/column/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid4 = _errs19 === errors;
if(!valid4){
break;
}
}
}
else {
validate25.errors = [{instancePath:instancePath+"/columns",schemaPath:"#/properties/columns/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
var valid0 = _errs17 === errors;
}
else {
var valid0 = true;
}
}
}
}
}
}
}
else {
validate25.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
validate25.errors = vErrors;
return errors === 0;
}
validate25.evaluated = {"props":{"title":true,"factors":true,"baseline":true,"within":true,"columns":true},"dynamicProps":false,"dynamicItems":false};

const schema46 = {"type":"object","description":"The system calls of the thread that looked, in one window.","required":["label","factors","work","elsewhere","functions","calls"],"properties":{"label":{"type":"string","description":"What the row is called."},"factors":{"type":"object","additionalProperties":{"$ref":"#/$defs/factor"}},"work":{"description":"How much work was done in the window; null if it was the whole trial.","oneOf":[{"type":"null"},{"$ref":"#/$defs/work"}]},"elsewhere":{"type":"object","description":"Instructions in the window that are not in the calls.","required":["exceptions","interrupts","otherThreads","userSpace"],"properties":{"exceptions":{"$ref":"#/$defs/count","description":"In page faults and other exceptions of the thread that looked."},"interrupts":{"$ref":"#/$defs/count"},"otherThreads":{"$ref":"#/$defs/count","description":"In the kernel for other threads."},"userSpace":{"$ref":"#/$defs/count"}}},"functions":{"type":"array","description":"The names of the functions.","items":{"type":"string"}},"calls":{"type":"array","description":"The calls, callers before what they called: the number of callers, the place among the functions, instructions that it executed itself, bytes of payload that it copied. Of very many the smallest are summed, in one call of each caller.","items":{"$ref":"#/$defs/call"}}}};
const schema48 = {"type":"object","required":["count","unit"],"properties":{"count":{"$ref":"#/$defs/count"},"unit":{"type":"string","description":"What one is called, such as request."}}};

function validate28(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate28.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if(((data.count === undefined) && (missing0 = "count")) || ((data.unit === undefined) && (missing0 = "unit"))){
validate28.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0}}];
return false;
}
else {
if(data.count !== undefined){
let data0 = data.count;
const _errs1 = errors;
const _errs2 = errors;
if(!(((typeof data0 == "number") && (!(data0 % 1) && !isNaN(data0))) && (isFinite(data0)))){
validate28.errors = [{instancePath:instancePath+"/count",schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs2){
if((typeof data0 == "number") && (isFinite(data0))){
if(data0 > 9007199254740991 || isNaN(data0)){
validate28.errors = [{instancePath:instancePath+"/count",schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}}];
return false;
}
else {
if(data0 < 0 || isNaN(data0)){
validate28.errors = [{instancePath:instancePath+"/count",schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.unit !== undefined){
const _errs4 = errors;
if(typeof data.unit !== "string"){
validate28.errors = [{instancePath:instancePath+"/unit",schemaPath:"#/properties/unit/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid0 = _errs4 === errors;
}
else {
var valid0 = true;
}
}
}
}
else {
validate28.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
validate28.errors = vErrors;
return errors === 0;
}
validate28.evaluated = {"props":{"count":true,"unit":true},"dynamicProps":false,"dynamicItems":false};

const schema54 = {"title":"four whole numbers","type":"array","items":{"$ref":"#/$defs/count"},"minItems":4,"maxItems":4};

function validate30(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate30.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(errors === 0){
if(Array.isArray(data)){
if(data.length > 4){
validate30.errors = [{instancePath,schemaPath:"#/maxItems",keyword:"maxItems",params:{limit: 4}}];
return false;
}
else {
if(data.length < 4){
validate30.errors = [{instancePath,schemaPath:"#/minItems",keyword:"minItems",params:{limit: 4}}];
return false;
}
else {
var valid0 = true;
const len0 = data.length;
for(let i0=0; i0<len0; i0++){
let data0 = data[i0];
const _errs1 = errors;
const _errs2 = errors;
if(!(((typeof data0 == "number") && (!(data0 % 1) && !isNaN(data0))) && (isFinite(data0)))){
validate30.errors = [{instancePath:instancePath+"/" + i0,schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs2){
if((typeof data0 == "number") && (isFinite(data0))){
if(data0 > 9007199254740991 || isNaN(data0)){
validate30.errors = [{instancePath:instancePath+"/" + i0,schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}}];
return false;
}
else {
if(data0 < 0 || isNaN(data0)){
validate30.errors = [{instancePath:instancePath+"/" + i0,schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid0 = _errs1 === errors;
if(!valid0){
break;
}
}
}
}
}
else {
validate30.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
validate30.errors = vErrors;
return errors === 0;
}
validate30.evaluated = {"items":true,"dynamicProps":false,"dynamicItems":false};


function validate27(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
let vErrors = null;
let errors = 0;
const evaluated0 = validate27.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if(((((((data.label === undefined) && (missing0 = "label")) || ((data.factors === undefined) && (missing0 = "factors"))) || ((data.work === undefined) && (missing0 = "work"))) || ((data.elsewhere === undefined) && (missing0 = "elsewhere"))) || ((data.functions === undefined) && (missing0 = "functions"))) || ((data.calls === undefined) && (missing0 = "calls"))){
validate27.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0}}];
return false;
}
else {
if(data.label !== undefined){
const _errs1 = errors;
if(typeof data.label !== "string"){
validate27.errors = [{instancePath:instancePath+"/label",schemaPath:"#/properties/label/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.factors !== undefined){
let data1 = data.factors;
const _errs3 = errors;
if(errors === _errs3){
if(data1 && typeof data1 == "object" && !Array.isArray(data1)){
for(const key0 in data1){
let data2 = data1[key0];
const _errs6 = errors;
if((((typeof data2 !== "string") && (!((typeof data2 == "number") && (isFinite(data2))))) && (typeof data2 !== "boolean")) && (data2 !== null)){
validate27.errors = [{instancePath:instancePath+"/factors/" + key0.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/$defs/factor/type",keyword:"type",params:{type: schema42.type}}];
return false;
}
var valid1 = _errs6 === errors;
if(!valid1){
break;
}
}
}
else {
validate27.errors = [{instancePath:instancePath+"/factors",schemaPath:"#/properties/factors/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid0 = _errs3 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.work !== undefined){
let data3 = data.work;
const _errs9 = errors;
const _errs10 = errors;
let valid3 = false;
let passing0 = null;
const _errs11 = errors;
if(data3 !== null){
const err0 = {instancePath:instancePath+"/work",schemaPath:"#/properties/work/oneOf/0/type",keyword:"type",params:{type: "null"}};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
var _valid0 = _errs11 === errors;
if(_valid0){
valid3 = true;
passing0 = 0;
}
const _errs13 = errors;
if(!(validate28(data3, {instancePath:instancePath+"/work",parentData:data,parentDataProperty:"work",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate28.errors : vErrors.concat(validate28.errors);
errors = vErrors.length;
}
var _valid0 = _errs13 === errors;
if(_valid0 && valid3){
valid3 = false;
passing0 = [passing0, 1];
}
else {
if(_valid0){
valid3 = true;
passing0 = 1;
var props0 = {};
props0.count = true;
props0.unit = true;
}
}
if(!valid3){
const err1 = {instancePath:instancePath+"/work",schemaPath:"#/properties/work/oneOf",keyword:"oneOf",params:{passingSchemas: passing0}};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
validate27.errors = vErrors;
return false;
}
else {
errors = _errs10;
if(vErrors !== null){
if(_errs10){
vErrors.length = _errs10;
}
else {
vErrors = null;
}
}
}
var valid0 = _errs9 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.elsewhere !== undefined){
let data4 = data.elsewhere;
const _errs14 = errors;
if(errors === _errs14){
if(data4 && typeof data4 == "object" && !Array.isArray(data4)){
let missing1;
if(((((data4.exceptions === undefined) && (missing1 = "exceptions")) || ((data4.interrupts === undefined) && (missing1 = "interrupts"))) || ((data4.otherThreads === undefined) && (missing1 = "otherThreads"))) || ((data4.userSpace === undefined) && (missing1 = "userSpace"))){
validate27.errors = [{instancePath:instancePath+"/elsewhere",schemaPath:"#/properties/elsewhere/required",keyword:"required",params:{missingProperty: missing1}}];
return false;
}
else {
if(data4.exceptions !== undefined){
let data5 = data4.exceptions;
const _errs16 = errors;
const _errs17 = errors;
if(!(((typeof data5 == "number") && (!(data5 % 1) && !isNaN(data5))) && (isFinite(data5)))){
validate27.errors = [{instancePath:instancePath+"/elsewhere/exceptions",schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs17){
if((typeof data5 == "number") && (isFinite(data5))){
if(data5 > 9007199254740991 || isNaN(data5)){
validate27.errors = [{instancePath:instancePath+"/elsewhere/exceptions",schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}}];
return false;
}
else {
if(data5 < 0 || isNaN(data5)){
validate27.errors = [{instancePath:instancePath+"/elsewhere/exceptions",schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid4 = _errs16 === errors;
}
else {
var valid4 = true;
}
if(valid4){
if(data4.interrupts !== undefined){
let data6 = data4.interrupts;
const _errs19 = errors;
const _errs20 = errors;
if(!(((typeof data6 == "number") && (!(data6 % 1) && !isNaN(data6))) && (isFinite(data6)))){
validate27.errors = [{instancePath:instancePath+"/elsewhere/interrupts",schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs20){
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 > 9007199254740991 || isNaN(data6)){
validate27.errors = [{instancePath:instancePath+"/elsewhere/interrupts",schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}}];
return false;
}
else {
if(data6 < 0 || isNaN(data6)){
validate27.errors = [{instancePath:instancePath+"/elsewhere/interrupts",schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid4 = _errs19 === errors;
}
else {
var valid4 = true;
}
if(valid4){
if(data4.otherThreads !== undefined){
let data7 = data4.otherThreads;
const _errs22 = errors;
const _errs23 = errors;
if(!(((typeof data7 == "number") && (!(data7 % 1) && !isNaN(data7))) && (isFinite(data7)))){
validate27.errors = [{instancePath:instancePath+"/elsewhere/otherThreads",schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs23){
if((typeof data7 == "number") && (isFinite(data7))){
if(data7 > 9007199254740991 || isNaN(data7)){
validate27.errors = [{instancePath:instancePath+"/elsewhere/otherThreads",schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}}];
return false;
}
else {
if(data7 < 0 || isNaN(data7)){
validate27.errors = [{instancePath:instancePath+"/elsewhere/otherThreads",schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid4 = _errs22 === errors;
}
else {
var valid4 = true;
}
if(valid4){
if(data4.userSpace !== undefined){
let data8 = data4.userSpace;
const _errs25 = errors;
const _errs26 = errors;
if(!(((typeof data8 == "number") && (!(data8 % 1) && !isNaN(data8))) && (isFinite(data8)))){
validate27.errors = [{instancePath:instancePath+"/elsewhere/userSpace",schemaPath:"#/$defs/count/type",keyword:"type",params:{type: "integer"}}];
return false;
}
if(errors === _errs26){
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 > 9007199254740991 || isNaN(data8)){
validate27.errors = [{instancePath:instancePath+"/elsewhere/userSpace",schemaPath:"#/$defs/count/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991}}];
return false;
}
else {
if(data8 < 0 || isNaN(data8)){
validate27.errors = [{instancePath:instancePath+"/elsewhere/userSpace",schemaPath:"#/$defs/count/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}}];
return false;
}
}
}
}
var valid4 = _errs25 === errors;
}
else {
var valid4 = true;
}
}
}
}
}
}
else {
validate27.errors = [{instancePath:instancePath+"/elsewhere",schemaPath:"#/properties/elsewhere/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid0 = _errs14 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.functions !== undefined){
let data9 = data.functions;
const _errs28 = errors;
if(errors === _errs28){
if(Array.isArray(data9)){
var valid9 = true;
const len0 = data9.length;
for(let i0=0; i0<len0; i0++){
const _errs30 = errors;
if(typeof data9[i0] !== "string"){
validate27.errors = [{instancePath:instancePath+"/functions/" + i0,schemaPath:"#/properties/functions/items/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid9 = _errs30 === errors;
if(!valid9){
break;
}
}
}
else {
validate27.errors = [{instancePath:instancePath+"/functions",schemaPath:"#/properties/functions/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
var valid0 = _errs28 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.calls !== undefined){
let data11 = data.calls;
const _errs32 = errors;
if(errors === _errs32){
if(Array.isArray(data11)){
var valid10 = true;
const len1 = data11.length;
for(let i1=0; i1<len1; i1++){
const _errs34 = errors;
if(!(validate30(data11[i1], {instancePath:instancePath+"/calls/" + i1,parentData:data11,parentDataProperty:i1,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate30.errors : vErrors.concat(validate30.errors);
errors = vErrors.length;
}
var valid10 = _errs34 === errors;
if(!valid10){
break;
}
}
}
else {
validate27.errors = [{instancePath:instancePath+"/calls",schemaPath:"#/properties/calls/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
var valid0 = _errs32 === errors;
}
else {
var valid0 = true;
}
}
}
}
}
}
}
}
else {
validate27.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
validate27.errors = vErrors;
return errors === 0;
}
validate27.evaluated = {"props":{"label":true,"factors":true,"work":true,"elsewhere":true,"functions":true,"calls":true},"dynamicProps":false,"dynamicItems":false};


function validate20(data, {instancePath="", parentData, parentDataProperty, rootData=data, dynamicAnchors={}}={}){
/*# sourceURL="urn:zclab:run:2" */;
let vErrors = null;
let errors = 0;
const evaluated0 = validate20.evaluated;
if(evaluated0.dynamicProps){
evaluated0.props = undefined;
}
if(evaluated0.dynamicItems){
evaluated0.items = undefined;
}
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if((((((((((((data.schema === undefined) && (missing0 = "schema")) || ((data.lab === undefined) && (missing0 = "lab"))) || ((data.invocation === undefined) && (missing0 = "invocation"))) || ((data.parameters === undefined) && (missing0 = "parameters"))) || ((data.seed === undefined) && (missing0 = "seed"))) || ((data.environment === undefined) && (missing0 = "environment"))) || ((data.code === undefined) && (missing0 = "code"))) || ((data.startedAt === undefined) && (missing0 = "startedAt"))) || ((data.complete === undefined) && (missing0 = "complete"))) || ((data.trials === undefined) && (missing0 = "trials"))) || ((data.summary === undefined) && (missing0 = "summary"))){
validate20.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0}}];
return false;
}
else {
if(data.schema !== undefined){
const _errs1 = errors;
if("zclab/run/2" !== data.schema){
validate20.errors = [{instancePath:instancePath+"/schema",schemaPath:"#/properties/schema/const",keyword:"const",params:{allowedValue: "zclab/run/2"}}];
return false;
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.lab !== undefined){
const _errs2 = errors;
if(typeof data.lab !== "string"){
validate20.errors = [{instancePath:instancePath+"/lab",schemaPath:"#/properties/lab/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid0 = _errs2 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.invocation !== undefined){
let data2 = data.invocation;
const _errs4 = errors;
const _errs5 = errors;
let valid1 = false;
let passing0 = null;
const _errs6 = errors;
if(data2 !== null){
const err0 = {instancePath:instancePath+"/invocation",schemaPath:"#/properties/invocation/oneOf/0/type",keyword:"type",params:{type: "null"}};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
var _valid0 = _errs6 === errors;
if(_valid0){
valid1 = true;
passing0 = 0;
}
const _errs8 = errors;
if(!(validate21(data2, {instancePath:instancePath+"/invocation",parentData:data,parentDataProperty:"invocation",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate21.errors : vErrors.concat(validate21.errors);
errors = vErrors.length;
}
var _valid0 = _errs8 === errors;
if(_valid0 && valid1){
valid1 = false;
passing0 = [passing0, 1];
}
else {
if(_valid0){
valid1 = true;
passing0 = 1;
var props0 = {};
props0.options = true;
props0.quick = true;
props0.seed = true;
props0.repeats = true;
}
}
if(!valid1){
const err1 = {instancePath:instancePath+"/invocation",schemaPath:"#/properties/invocation/oneOf",keyword:"oneOf",params:{passingSchemas: passing0}};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
validate20.errors = vErrors;
return false;
}
else {
errors = _errs5;
if(vErrors !== null){
if(_errs5){
vErrors.length = _errs5;
}
else {
vErrors = null;
}
}
}
var valid0 = _errs4 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.parameters !== undefined){
let data3 = data.parameters;
const _errs9 = errors;
if(!(data3 && typeof data3 == "object" && !Array.isArray(data3))){
validate20.errors = [{instancePath:instancePath+"/parameters",schemaPath:"#/properties/parameters/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid0 = _errs9 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.seed !== undefined){
let data4 = data.seed;
const _errs11 = errors;
const _errs12 = errors;
let valid2 = false;
let passing1 = null;
const _errs13 = errors;
if(data4 !== null){
const err2 = {instancePath:instancePath+"/seed",schemaPath:"#/properties/seed/oneOf/0/type",keyword:"type",params:{type: "null"}};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
var _valid1 = _errs13 === errors;
if(_valid1){
valid2 = true;
passing1 = 0;
}
const _errs15 = errors;
const _errs16 = errors;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err3 = {instancePath:instancePath+"/seed",schemaPath:"#/$defs/seed/type",keyword:"type",params:{type: "integer"}};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if(errors === _errs16){
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 > 4294967295 || isNaN(data4)){
const err4 = {instancePath:instancePath+"/seed",schemaPath:"#/$defs/seed/maximum",keyword:"maximum",params:{comparison: "<=", limit: 4294967295}};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
else {
if(data4 < 0 || isNaN(data4)){
const err5 = {instancePath:instancePath+"/seed",schemaPath:"#/$defs/seed/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0}};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
}
}
var _valid1 = _errs15 === errors;
if(_valid1 && valid2){
valid2 = false;
passing1 = [passing1, 1];
}
else {
if(_valid1){
valid2 = true;
passing1 = 1;
}
}
if(!valid2){
const err6 = {instancePath:instancePath+"/seed",schemaPath:"#/properties/seed/oneOf",keyword:"oneOf",params:{passingSchemas: passing1}};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
validate20.errors = vErrors;
return false;
}
else {
errors = _errs12;
if(vErrors !== null){
if(_errs12){
vErrors.length = _errs12;
}
else {
vErrors = null;
}
}
}
var valid0 = _errs11 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.environment !== undefined){
let data5 = data.environment;
const _errs18 = errors;
const _errs19 = errors;
if(errors === _errs19){
if(data5 && typeof data5 == "object" && !Array.isArray(data5)){
let missing1;
if((((((((data5.versions === undefined) && (missing1 = "versions")) || ((data5.kernel === undefined) && (missing1 = "kernel"))) || ((data5.machine === undefined) && (missing1 = "machine"))) || ((data5.user === undefined) && (missing1 = "user"))) || ((data5.limits === undefined) && (missing1 = "limits"))) || ((data5.sysctls === undefined) && (missing1 = "sysctls"))) || ((data5.extra === undefined) && (missing1 = "extra"))){
validate20.errors = [{instancePath:instancePath+"/environment",schemaPath:"#/$defs/environment/required",keyword:"required",params:{missingProperty: missing1}}];
return false;
}
else {
if(data5.clock !== undefined){
let data6 = data5.clock;
const _errs21 = errors;
if(!((data6 === "time") || (data6 === "instructions"))){
validate20.errors = [{instancePath:instancePath+"/environment/clock",schemaPath:"#/$defs/environment/properties/clock/enum",keyword:"enum",params:{allowedValues: schema36.properties.clock.enum}}];
return false;
}
var valid5 = _errs21 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data5.versions !== undefined){
let data7 = data5.versions;
const _errs22 = errors;
if(!(data7 && typeof data7 == "object" && !Array.isArray(data7))){
validate20.errors = [{instancePath:instancePath+"/environment/versions",schemaPath:"#/$defs/environment/properties/versions/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid5 = _errs22 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data5.kernel !== undefined){
let data8 = data5.kernel;
const _errs24 = errors;
if(errors === _errs24){
if(data8 && typeof data8 == "object" && !Array.isArray(data8)){
if(data8.clearsOnAllocation !== undefined){
let data9 = data8.clearsOnAllocation;
if((typeof data9 !== "boolean") && (data9 !== null)){
validate20.errors = [{instancePath:instancePath+"/environment/kernel/clearsOnAllocation",schemaPath:"#/$defs/environment/properties/kernel/properties/clearsOnAllocation/type",keyword:"type",params:{type: schema36.properties.kernel.properties.clearsOnAllocation.type}}];
return false;
}
}
}
else {
validate20.errors = [{instancePath:instancePath+"/environment/kernel",schemaPath:"#/$defs/environment/properties/kernel/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid5 = _errs24 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data5.machine !== undefined){
let data10 = data5.machine;
const _errs28 = errors;
if(!(data10 && typeof data10 == "object" && !Array.isArray(data10))){
validate20.errors = [{instancePath:instancePath+"/environment/machine",schemaPath:"#/$defs/environment/properties/machine/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid5 = _errs28 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data5.user !== undefined){
let data11 = data5.user;
const _errs30 = errors;
if(!(data11 && typeof data11 == "object" && !Array.isArray(data11))){
validate20.errors = [{instancePath:instancePath+"/environment/user",schemaPath:"#/$defs/environment/properties/user/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid5 = _errs30 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data5.limits !== undefined){
let data12 = data5.limits;
const _errs32 = errors;
if(!(data12 && typeof data12 == "object" && !Array.isArray(data12))){
validate20.errors = [{instancePath:instancePath+"/environment/limits",schemaPath:"#/$defs/environment/properties/limits/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid5 = _errs32 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data5.sysctls !== undefined){
let data13 = data5.sysctls;
const _errs34 = errors;
if(!(data13 && typeof data13 == "object" && !Array.isArray(data13))){
validate20.errors = [{instancePath:instancePath+"/environment/sysctls",schemaPath:"#/$defs/environment/properties/sysctls/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid5 = _errs34 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data5.extra !== undefined){
let data14 = data5.extra;
const _errs36 = errors;
if(!(data14 && typeof data14 == "object" && !Array.isArray(data14))){
validate20.errors = [{instancePath:instancePath+"/environment/extra",schemaPath:"#/$defs/environment/properties/extra/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid5 = _errs36 === errors;
}
else {
var valid5 = true;
}
}
}
}
}
}
}
}
}
}
else {
validate20.errors = [{instancePath:instancePath+"/environment",schemaPath:"#/$defs/environment/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid0 = _errs18 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.code !== undefined){
let data15 = data.code;
const _errs38 = errors;
const _errs39 = errors;
if(errors === _errs39){
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
let missing2;
if((((data15.version === undefined) && (missing2 = "version")) || ((data15.commit === undefined) && (missing2 = "commit"))) || ((data15.dirty === undefined) && (missing2 = "dirty"))){
validate20.errors = [{instancePath:instancePath+"/code",schemaPath:"#/$defs/code/required",keyword:"required",params:{missingProperty: missing2}}];
return false;
}
else {
if(data15.version !== undefined){
let data16 = data15.version;
const _errs41 = errors;
if((typeof data16 !== "string") && (data16 !== null)){
validate20.errors = [{instancePath:instancePath+"/code/version",schemaPath:"#/$defs/code/properties/version/type",keyword:"type",params:{type: schema37.properties.version.type}}];
return false;
}
var valid8 = _errs41 === errors;
}
else {
var valid8 = true;
}
if(valid8){
if(data15.commit !== undefined){
let data17 = data15.commit;
const _errs43 = errors;
if((typeof data17 !== "string") && (data17 !== null)){
validate20.errors = [{instancePath:instancePath+"/code/commit",schemaPath:"#/$defs/code/properties/commit/type",keyword:"type",params:{type: schema37.properties.commit.type}}];
return false;
}
var valid8 = _errs43 === errors;
}
else {
var valid8 = true;
}
if(valid8){
if(data15.dirty !== undefined){
let data18 = data15.dirty;
const _errs45 = errors;
if((typeof data18 !== "boolean") && (data18 !== null)){
validate20.errors = [{instancePath:instancePath+"/code/dirty",schemaPath:"#/$defs/code/properties/dirty/type",keyword:"type",params:{type: schema37.properties.dirty.type}}];
return false;
}
var valid8 = _errs45 === errors;
}
else {
var valid8 = true;
}
if(valid8){
if(data15.labFile !== undefined){
let data19 = data15.labFile;
const _errs47 = errors;
if(errors === _errs47){
if(data19 && typeof data19 == "object" && !Array.isArray(data19)){
let missing3;
if(((data19.name === undefined) && (missing3 = "name")) || ((data19.sha256 === undefined) && (missing3 = "sha256"))){
validate20.errors = [{instancePath:instancePath+"/code/labFile",schemaPath:"#/$defs/code/properties/labFile/required",keyword:"required",params:{missingProperty: missing3}}];
return false;
}
else {
if(data19.name !== undefined){
const _errs49 = errors;
if(typeof data19.name !== "string"){
validate20.errors = [{instancePath:instancePath+"/code/labFile/name",schemaPath:"#/$defs/code/properties/labFile/properties/name/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid9 = _errs49 === errors;
}
else {
var valid9 = true;
}
if(valid9){
if(data19.sha256 !== undefined){
const _errs51 = errors;
if(typeof data19.sha256 !== "string"){
validate20.errors = [{instancePath:instancePath+"/code/labFile/sha256",schemaPath:"#/$defs/code/properties/labFile/properties/sha256/type",keyword:"type",params:{type: "string"}}];
return false;
}
var valid9 = _errs51 === errors;
}
else {
var valid9 = true;
}
}
}
}
else {
validate20.errors = [{instancePath:instancePath+"/code/labFile",schemaPath:"#/$defs/code/properties/labFile/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid8 = _errs47 === errors;
}
else {
var valid8 = true;
}
}
}
}
}
}
else {
validate20.errors = [{instancePath:instancePath+"/code",schemaPath:"#/$defs/code/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
var valid0 = _errs38 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.startedAt !== undefined){
let data22 = data.startedAt;
const _errs53 = errors;
const _errs54 = errors;
let valid10 = false;
let passing2 = null;
const _errs55 = errors;
if(data22 !== null){
const err7 = {instancePath:instancePath+"/startedAt",schemaPath:"#/properties/startedAt/oneOf/0/type",keyword:"type",params:{type: "null"}};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
var _valid2 = _errs55 === errors;
if(_valid2){
valid10 = true;
passing2 = 0;
}
const _errs57 = errors;
const _errs58 = errors;
if(errors === _errs58){
if(typeof data22 === "string"){
if(!pattern4.test(data22)){
const err8 = {instancePath:instancePath+"/startedAt",schemaPath:"#/$defs/dateTime/pattern",keyword:"pattern",params:{pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$"}};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
else {
const err9 = {instancePath:instancePath+"/startedAt",schemaPath:"#/$defs/dateTime/type",keyword:"type",params:{type: "string"}};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
var _valid2 = _errs57 === errors;
if(_valid2 && valid10){
valid10 = false;
passing2 = [passing2, 1];
}
else {
if(_valid2){
valid10 = true;
passing2 = 1;
}
}
if(!valid10){
const err10 = {instancePath:instancePath+"/startedAt",schemaPath:"#/properties/startedAt/oneOf",keyword:"oneOf",params:{passingSchemas: passing2}};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
validate20.errors = vErrors;
return false;
}
else {
errors = _errs54;
if(vErrors !== null){
if(_errs54){
vErrors.length = _errs54;
}
else {
vErrors = null;
}
}
}
var valid0 = _errs53 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.complete !== undefined){
const _errs60 = errors;
if(typeof data.complete !== "boolean"){
validate20.errors = [{instancePath:instancePath+"/complete",schemaPath:"#/properties/complete/type",keyword:"type",params:{type: "boolean"}}];
return false;
}
var valid0 = _errs60 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.trials !== undefined){
let data24 = data.trials;
const _errs62 = errors;
if(errors === _errs62){
if(Array.isArray(data24)){
var valid12 = true;
const len0 = data24.length;
for(let i0=0; i0<len0; i0++){
const _errs64 = errors;
if(!(validate23(data24[i0], {instancePath:instancePath+"/trials/" + i0,parentData:data24,parentDataProperty:i0,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate23.errors : vErrors.concat(validate23.errors);
errors = vErrors.length;
}
var valid12 = _errs64 === errors;
if(!valid12){
break;
}
}
}
else {
validate20.errors = [{instancePath:instancePath+"/trials",schemaPath:"#/properties/trials/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
var valid0 = _errs62 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.summary !== undefined){
let data26 = data.summary;
const _errs65 = errors;
if(errors === _errs65){
if(Array.isArray(data26)){
var valid13 = true;
const len1 = data26.length;
for(let i1=0; i1<len1; i1++){
let data27 = data26[i1];
const _errs67 = errors;
if(!(data27 && typeof data27 == "object" && !Array.isArray(data27))){
validate20.errors = [{instancePath:instancePath+"/summary/" + i1,schemaPath:"#/properties/summary/items/type",keyword:"type",params:{type: "object"}}];
return false;
}
var valid13 = _errs67 === errors;
if(!valid13){
break;
}
}
}
else {
validate20.errors = [{instancePath:instancePath+"/summary",schemaPath:"#/properties/summary/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
var valid0 = _errs65 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.table !== undefined){
const _errs69 = errors;
if(!(validate25(data.table, {instancePath:instancePath+"/table",parentData:data,parentDataProperty:"table",rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate25.errors : vErrors.concat(validate25.errors);
errors = vErrors.length;
}
var valid0 = _errs69 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.views !== undefined){
let data29 = data.views;
const _errs70 = errors;
if(errors === _errs70){
if(Array.isArray(data29)){
var valid14 = true;
const len2 = data29.length;
for(let i2=0; i2<len2; i2++){
const _errs72 = errors;
if(!(validate27(data29[i2], {instancePath:instancePath+"/views/" + i2,parentData:data29,parentDataProperty:i2,rootData,dynamicAnchors}))){
vErrors = vErrors === null ? validate27.errors : vErrors.concat(validate27.errors);
errors = vErrors.length;
}
var valid14 = _errs72 === errors;
if(!valid14){
break;
}
}
}
else {
validate20.errors = [{instancePath:instancePath+"/views",schemaPath:"#/properties/views/type",keyword:"type",params:{type: "array"}}];
return false;
}
}
var valid0 = _errs70 === errors;
}
else {
var valid0 = true;
}
}
}
}
}
}
}
}
}
}
}
}
}
}
}
else {
validate20.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"}}];
return false;
}
}
validate20.errors = vErrors;
return errors === 0;
}
validate20.evaluated = {"props":{"schema":true,"lab":true,"invocation":true,"parameters":true,"seed":true,"environment":true,"code":true,"startedAt":true,"complete":true,"trials":true,"summary":true,"table":true,"views":true},"dynamicProps":false,"dynamicItems":false};

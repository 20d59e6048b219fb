"""The words that a résumé's parts are recognised by: headings, job nouns, employers, places, degrees, contact lines.

Our own lists, of usual English wordings. A list decides only where position and shape leave it open, so a missing word costs
little; a wrong one (a word of duties among the job nouns, say) costs more.
"""

from __future__ import annotations

import re
from typing import Literal

Section = Literal[
    "top",
    "experience",
    "education",
    "skills",
    "summary",
    "projects",
    "certifications",
    "volunteer",
    "other",
    "references",
    "personal",
]


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


#: Words that make a line a heading whatever its looks; a heading is made of these and of HEADING_FILLERS alone.
HEADING_NOUNS: dict[str, Section] = {
    "experience": "experience",
    "experiences": "experience",
    "employment": "experience",
    "career history": "experience",
    "work history": "experience",
    "job history": "experience",
    "work background": "experience",
    "professional background": "experience",
    "career background": "experience",
    "career summary": "summary",
    "career profile": "summary",
    "positions held": "experience",
    "jobs held": "experience",
    "professional history": "experience",
    "internship": "experience",
    "internships": "experience",
    "military service": "experience",
    "military background": "experience",
    "military history": "experience",
    "appointments held": "experience",
    "academic appointments": "experience",
    "education": "education",
    "educational background": "education",
    "academic background": "education",
    "academic history": "education",
    "academic qualifications": "education",
    "educational qualifications": "education",
    "academic credentials": "education",
    "academics": "education",
    "educational history": "education",
    "schooling": "education",
    "degrees": "education",
    "coursework": "education",
    "course work": "education",
    "relevant courses": "education",
    "skills": "skills",
    "skill": "skills",
    "skillset": "skills",
    "skill set": "skills",
    "skill sets": "skills",
    "highlights": "skills",
    "qualifications": "skills",
    "core qualifications": "skills",
    "competencies": "skills",
    "competences": "skills",
    "core strengths": "skills",
    "key strengths": "skills",
    "areas of strength": "skills",
    "expertise": "skills",
    "areas of expertise": "skills",
    "areas of knowledge": "skills",
    "specialties": "skills",
    "proficiencies": "skills",
    "technical proficiency": "skills",
    "computer proficiency": "skills",
    "computer literacy": "skills",
    "computer knowledge": "skills",
    "technical knowledge": "skills",
    "technologies": "skills",
    "tech stack": "skills",
    "technical stack": "skills",
    "tools and technologies": "skills",
    "software knowledge": "skills",
    "capabilities": "skills",
    "summary": "summary",
    "professional profile": "summary",
    "executive profile": "summary",
    "personal profile": "summary",
    "personal statement": "summary",
    "profile": "summary",
    "career overview": "summary",
    "professional overview": "summary",
    "career objective": "summary",
    "objective": "summary",
    "objectives": "summary",
    "career goal": "summary",
    "career goals": "summary",
    "career focus": "summary",
    "about me": "summary",
    "about": "summary",
    "overview": "summary",
    "introduction": "summary",
    "projects": "projects",
    "publications": "other",
    "presentations and publications": "other",
    "patents": "other",
    "certifications": "certifications",
    "certification": "certifications",
    "certificates": "certifications",
    "licenses": "certifications",
    "licences": "certifications",
    "licensure": "certifications",
    "licensing": "certifications",
    "credentials": "certifications",
    "accreditations": "certifications",
    "professional development": "education",
    "languages": "other",
    "foreign languages": "other",
    "language skills": "other",
    "awards": "other",
    "honors": "other",
    "honours": "other",
    "achievements": "other",
    "accomplishments": "other",
    "recognition": "other",
    "recognitions": "other",
    "scholarships": "other",
    "affiliations": "other",
    "memberships": "other",
    "professional associations": "other",
    "professional organizations": "other",
    "extracurricular activities": "other",
    "extra curricular activities": "other",
    "activities and honors": "other",
    "interests": "other",
    "hobbies": "other",
    "additional information": "other",
    "additional details": "other",
    "other information": "other",
    "miscellaneous": "other",
    "volunteer": "volunteer",
    "volunteering": "volunteer",
    "volunteer work": "volunteer",
    "volunteerism": "volunteer",
    "voluntary work": "volunteer",
    "community service": "volunteer",
    "community involvement": "volunteer",
    "civic involvement": "volunteer",
    "references": "references",
    "reference": "references",
    "referees": "references",
    "personal information": "personal",
    "personal details": "personal",
    "personal data": "personal",
    "personal particulars": "personal",
    "contact": "personal",
    "contact information": "personal",
    "contact details": "personal",
    "contact info": "personal",
    "contact me": "personal",
}

#: Words that are headings too, but as often a skill or a line of text: believed only with a colon, capitals, markup or space around.
WEAK_HEADING_NOUNS: dict[str, Section] = {
    "history": "experience",
    "career": "experience",
    "work": "experience",
    "background": "summary",
    "training": "education",
    "courses": "education",
    "academic": "education",
    "strengths": "skills",
    "technology": "skills",
    "tools": "skills",
    "software": "skills",
    "technical": "skills",
    "computer": "skills",
    "programming languages": "skills",
    "keywords": "skills",
    "knowledge": "skills",
    "abilities": "skills",
    "goal": "summary",
    "statement": "summary",
    "activities": "other",
    "leadership": "other",
    "research": "projects",
    "portfolio": "projects",
    "presentations": "other",
    "conferences": "other",
    "exhibitions": "other",
    "information": "other",
    "personal": "personal",
}

HEADING_FILLERS: frozenset[str] = word_set(
    """
    a additional and areas area as background brief career chronological chronology civilian clinical computer core
    corporate current detailed earlier educational executive external field full functional general graduate hands-on
    history in industry information international internship internships it key language leadership main major management
    military my of on other overall past personal previous prior private professional public record recent related relevant
    research section selected sector select significant soft hard special specific specialized strong summary teaching tech
    technical technology the time top training university volunteer with work working academic activities achievements & / i
    ii notable strengths software systems project knowledge abilities tools courses education experience employment
    community service law enforcement
    """
)

#: The nouns that head a job title. What ends in -ist, -ician, -keeper, -smith, -wright, -man, -woman is one without being listed.
TITLE_NOUNS: frozenset[str] = word_set(
    """
    historian bailiff guardian chauffeur comedian comic constable referee poet monk nun bishop servant companion jockey deejay
    official docent provost mayoress groom boatswain artisan osteopath homeopath masseur masseuse coder diver dyer mixer tuner
    taker rater attaché prefect umpire marksman stagehand deckhand farmhand ranchhand stockbroker
    accountant actor actress adjudicator adjuster administrator admin advisor adviser advocate agent aide aid analyst anchor
    announcer apprentice architect assembler assistant associate attendant attorney auditor author baker banker barber
    barista bartender bookkeeper boss broker builder busser buyer caddie captain caregiver carer caretaker carpenter cashier
    caterer chair chairman chairperson chef chief chaplain choreographer cleaner clerk coach collector columnist commander
    commissioner comptroller concierge conductor conservator consultant contractor controller cook coordinator co-ordinator
    counsel counselor counsellor courier crew curator custodian dancer dealer dean decorator demonstrator deputy designer
    detective developer dietitian director dispatcher dj doctor driver editor educator electrician employee engineer
    entrepreneur estimator examiner executive expeditor expert fabricator facilitator farmer fellow fighter firefighter
    fitter foreman foreperson founder co-founder fundraiser gardener gatekeeper generalist grader grinder grower guard guide
    hairdresser hand handler handyman head helper host hostess housekeeper hygienist illustrator inspector installer
    instructor intern interpreter interviewer investigator janitor journalist judge justice keeper laborer labourer
    landscaper lawyer lead leader lecturer liaison librarian lieutenant lifeguard loader machinist maid maker manager
    marketer marshal mason mate mechanic mediator medic member mentor merchandiser merchant messenger midwife miner minister
    modeler mover musician nanny navigator negotiator nurse officer operative operator optician optometrist orderly
    organizer owner packer painter paralegal paramedic paraprofessional partner pastor pathologist performer pharmacist
    photographer physician picker pilot planner plumber policeman porter practitioner preparer president presenter presser
    principal printer proctor producer professor programmer proofreader proprietor provider psychologist publicist purchaser
    receptionist recruiter rector registrar rep representative reporter researcher resident restorer reviewer rigger roofer
    runner sailor salesman salesperson saleswoman scheduler scholar scientist scorer scout scribe seamstress secretary
    sergeant server setter sewer sheriff shopper singer soldier solicitor sommelier specialist sponsor staff steward
    stewardess stocker strategist student stylist superintendent supervisor supplier support surgeon surveyor sweeper tailor
    teacher teller tester therapist trader trainee trainer translator treasurer trooper trucker tutor umpire undertaker
    underwriter usher valet vendor veterinarian vet videographer volunteer vp waiter waitress warden waterman washer
    webmaster welder worker writer ambassador evangelist owner-operator sysadmin dba devops sdet swe sre ceo cfo cto coo cio
    ciso cmo cpo chro evp svp avp rn lpn lvn cna emt cma cota ota pta paraeducator postdoc postdoctoral phlebotomist
    sonographer radiographer freelancer self-employed co-owner housewife homemaker doorman bellman page dishwasher detailer
    blaster driller finisher framer glazier inseminator layout lineman lineworker longshoreman millwright roustabout
    scaffolder shipfitter splicer tiler trimmer turner upholsterer weaver winder yardman correspondent copywriter blogger
    scriptwriter cinematographer animator arranger composer drummer guitarist pianist vocalist missionary deacon imam rabbi
    priest clergy legislator senator mayor councilman councilmember ombudsman consul diplomat attache envoy actuary
    economist statistician mathematician physicist chemist biologist geologist meteorologist astronomer technician
    technologist technicians engineers analysts tech techs asst mgr supv sup generalists corporal airman seaman ensign
    colonel admiral rifleman infantryman cadet recruit gunner corpsman crewmember crewman cpa professional faculty
    responsible officer-in-charge
    """
)
#: Job nouns that are other things as often: believed only at the head of a title.
HEADS_ONLY: frozenset[str] = word_set(
    """
    support staff lead head hand guard guide host chair server tech techs assembly professional responsible admin aid press
    runner recruit corporal supply mate vet
    """
)
TITLE_SUFFIX = re.compile(r"(?:ologist|ician|[a-z]{3}ist|keeper|smith|wright|[a-z]{3}man|woman|person|ographer|monger|herd)$")
#: Longer words in -er and -or are people unless they are among these.
TITLE_ER = re.compile(r"[a-z-]{4,}(?:er|or)$")
NOT_PEOPLE: frozenset[str] = word_set(
    """
    after another answer better border calendar career center chapter character charter cluster color commuter computer
    container corner counter cover customer december disaster door dollar either elder error ever factor favor filter finger
    flavor floor folder former gender greater harbor higher honor hour however hunger humor inner interior junior labor
    laser later layer ledger letter likewise litter liver lower master matter meter mirror monitor motor neither never
    november number october offer order other outdoor outer over owner-ship paper partner-ship performer-ance peer per
    poster power prior proper quarter rather register regular render river router semester senior september server-less
    sensor shelter shower silver similar sister solar stellar super surrender sweater theater timber together tower tractor
    transfer trigger under upper user vector visitor water weather whether wonder younger transformer inventor-y consumer
    vigor indoor newsletter bumper copper rubber leather lumber cancer tumor fever summer winter easter banner barrier
    buffer career-s carrier chamber cyber differ discover deliver enter encounter ensure foster gather handler-s administer
    master-s minor monitor-ing refer remember suffer trailer volunteer-ing wander twitter center-s insider clover dover
    denver vancouver manchester rochester worcester chester hanover baker-sfield
    """
)

#: Words that say that a piece of a heading line is an employer.
EMPLOYER_WORDS: frozenset[str] = word_set(
    """
    inc incorporated llc llp lp ltd limited corp corporation company co gmbh plc pllc pc bank university college school
    schools institute academy hospital clinic hotel hotels restaurant restaurants group holdings partners associates center
    centre church agency department dept ministry council foundation association society district county bureau authority
    commission airlines airways insurance industries enterprises enterprise solutions technologies systems services
    laboratories labs studio studios stores store market mart inn resort resorts casino pharmacy medical healthcare health
    corps army navy force guard museum library library's international consulting realty properties motors logistics
    electronics communications media press publishing productions entertainment club cafe grill bistro pizza salon spa
    organization organisation federation union office ventures capital trust federal state city town village usa pvt pte pty
    ag sa nv bv kg cooperative co-op
    """
)
EMPLOYER_STRONG: frozenset[str] = word_set(
    """
    inc incorporated llc llp ltd corp corporation gmbh plc pllc university college academy hospital clinic hotel hotels
    restaurant bank foundation church airlines airways holdings industries enterprises pvt pte pty institute schools
    laboratories
    """
)

US_STATES = [
    "AL",
    "AK",
    "AZ",
    "AR",
    "CA",
    "CO",
    "CT",
    "DE",
    "DC",
    "FL",
    "GA",
    "HI",
    "ID",
    "IL",
    "IN",
    "IA",
    "KS",
    "KY",
    "LA",
    "ME",
    "MD",
    "MA",
    "MI",
    "MN",
    "MS",
    "MO",
    "MT",
    "NE",
    "NV",
    "NH",
    "NJ",
    "NM",
    "NY",
    "NC",
    "ND",
    "OH",
    "OK",
    "OR",
    "PA",
    "RI",
    "SC",
    "SD",
    "TN",
    "TX",
    "UT",
    "VT",
    "VA",
    "WA",
    "WV",
    "WI",
    "WY",
    "PR",
]
PLACE_NAMES: frozenset[str] = word_set(
    """
    alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana
    iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska
    nevada new-hampshire new-jersey new-mexico new-york north-carolina north-dakota ohio oklahoma oregon pennsylvania
    rhode-island south-carolina south-dakota tennessee texas utah vermont virginia washington west-virginia wisconsin
    wyoming puerto-rico usa us u.s. u.s.a. united-states uk united-kingdom england scotland wales ireland canada ontario
    quebec british-columbia australia new-zealand india china japan germany france spain italy netherlands belgium
    switzerland austria sweden norway denmark finland poland mexico brazil singapore philippines south-africa nigeria kenya
    uae united-arab-emirates remote israel pakistan bangladesh indonesia malaysia thailand vietnam south-korea korea taiwan
    hong-kong saudi-arabia egypt london paris berlin boston chicago los-angeles san-francisco new-york-city seattle houston
    dallas austin atlanta denver toronto vancouver sydney melbourne dublin
    """
)

#: Given and family names that are jobs, too: "Dean Cook" at the top of a page with an address is a person.
NAMES_LIKE_JOBS: tuple[frozenset[str], frozenset[str]] = (
    word_set(
        "archer bishop booker carter chandler cooper dean deacon fisher harper hunter marshall mason parker piper porter sawyer sailor taylor tyler"
    ),
    word_set(
        """
        archer baker barber bishop booker brewer butler carpenter carter chandler cook cooper driver dyer farmer fisher fowler
        gardner hunter judge marshall mason miller painter parker piper porter potter shepherd singer smith taylor turner tyler
        usher walker weaver
        """
    ),
)

#: Departments and fields that may follow a job noun after a comma ("Vice President, Marketing").
DEPARTMENTS: frozenset[str] = word_set(
    """
    accounting accounts administration advertising analytics audit benefits billing branding brand business client clinical
    commercial communications community compensation compliance construction content corporate customer data design
    development digital distribution editorial education engineering enterprise events facilities finance financial global
    growth human information infrastructure innovation international inventory it legal logistics maintenance manufacturing
    marketing media medical merchandising network nursing operations planning policy process procurement product production
    program programs project projects property public purchasing quality recruiting relations research resources retail risk
    safety sales security service services software sourcing strategic strategy support supply systems talent tax technical
    technology training transport treasury web and of & the for chain assurance control management r&d hr us north east west
    south regional national senior junior forensic advisory night day shift grade level i ii iii iv
    """
)

DEGREE = re.compile(
    r"""\b(?:
      (?:bachelors?|bachelor's|masters?|master's|associates?|associate's|doctor(?:ate)?|doctor's)(?:\s+degree)?\s+(?:of|in)\s+[A-Z][\w&]*
    | (?:bachelor|master|associate|doctoral|doctorate|graduate|postgraduate)(?:'?s)?\s+(?:degree|diploma)
    | bachelors?(?!-)|bachelor's|doctorate|m\.?phil|ph\.?\s?d|d\.?phil|ed\.?d|psy\.?d|pharm\.?\s?d
    | (?-i:B\.?\s?S\.?\s?N|M\.?\s?S\.?\s?N|A\.?\s?S\.?\s?N|D\.?\s?N\.?\s?P|M\.?\s?B\.?\s?A|B\.?\s?B\.?\s?A|M\.?\s?P\.?\s?A|M\.?\s?P\.?\s?H|M\.?\s?F\.?\s?A|B\.?\s?F\.?\s?A)\b
    | (?-i:B\.?\s?Sc|M\.?\s?Sc|B\.?\s?Eng|M\.?\s?Eng|B\.?\s?Tech|M\.?\s?Tech|B\.?\s?Ed|M\.?\s?Ed|B\.?\s?Com|M\.?\s?Com|LL\.?\s?B|LL\.?\s?M|M\.?\s?D|J\.?\s?D|D\.?D\.?S|A\.?A\.?S|B\.?A\.?S)\b
    | (?-i:B\.\s?[AS]\b\.?|M\.\s?[AS]\b\.?|A\.\s?[AS]\b\.?|\b[BM]S\b|\b[BM]A\b|\bA[AS]\b)
    | (?:high\s+school|secondary\s+school|college|graduate|postgraduate|post-graduate|technical|vocational|medical\s+assistant|advanced|honou?rs)\s+diploma
    | diploma | (?-i:NVQ|BTEC|HND|HNC)\b(?:\s+level\s+\d)? | G\.?E\.?D\b | high\s+school\s+(?:degree|graduate|equivalen\w+) | A-levels? | GCSEs?
    | (?:graduate\s+|post-?graduate\s+)?certificate(?:\s+(?:of|in)\s+[A-Z]\w*)?
    | some\s+college(?:\s+\(?no\s+degree\)?)?
    )""",
    re.X | re.I,
)
INSTITUTION = re.compile(
    r"\b(?:university|universit\w+|college|institute|academy|school|polytechnic|community college|seminary|conservatory|campus|district)\b",
    re.I,
)

#: A finite or past verb at the start of a duty, beyond what ends in -ed or -ing.
ACTION_VERBS: frozenset[str] = word_set(
    """
    act acted acts adapt administer administered advise advised analyze analysed analyzed answer answered apply applied
    approve arrange arranged assemble assess assessed assign assigned assist assisted assists assisting attend attended
    audit audited balance balanced began bill book bring brought build built calculate calculated call check checked clean
    cleaned close closed coach coached collaborate collaborated collect collected communicate communicated compile compiled
    complete completed compose conduct conducted configure configured confirm consult consulted contribute contributed
    control controlled cook coordinate coordinated counsel counseled create created cut deliver delivered demonstrate design
    designed determine develop developed direct directed distribute distributed document documented draft drafted draw drew
    drive drove edit edited educate educated enforce enforced ensure ensured ensures enter entered establish established
    evaluate evaluated examine examined execute executed facilitate facilitated file filed fill filled find follow followed
    formulate formulated foster fostered found gather gathered gave generate generated give grew greet greeted grow guide
    guided handle handled handles held help helped helps hire hired hold identify identified implement implemented improve
    improved increase increased inform input inspect inspected install installed instruct instructed interview interviewed
    investigate investigated issue keep kept launch launched lead led liaise maintain maintained maintains make made manage
    managed manages measure meet met mentor mentored monitor monitored negotiate negotiated obtain obtained offer open
    operate operated operates order ordered organize organized organise organised oversaw oversee participate participated
    perform performed performs place plan planned prepare prepared prepares present presented process processed processes
    produce produced promote promoted provide provided provides purchase purchased ran receive received recommend
    recommended reconcile reconciled record recorded recruit recruited reduce reduced represent represented research
    researched resolve resolved respond responded responsible review reviewed reviews run schedule scheduled screen screened
    select selected sell sent serve served set setup ship sold solve spoke supervise supervised supervises support supported
    taught teach test tested took track tracked train trained translate translated travel troubleshoot troubleshot update
    updated use used utilize utilized verify verified work worked works write wrote familiar accountable proficient ability
    able accounts skilled knowledge experienced duties
    """
)

#: Short words that say little where a line is judged by its looks.
SMALL_WORDS: frozenset[str] = word_set("a an and as at but by de en et for from in into of on or per the to up via vs with &")

EMAIL = re.compile(r"[\w.+%-]{1,64}\s?@\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
PHONE = re.compile(
    r"(?<![\w.$])(?:(?:\+|00)\d{1,3}[\s.-]{0,2})?(?:\(\d{2,5}\)[\s.-]{0,2}|\d{3,5}[\s.-]{1,2})\d{3,4}[\s.-]{0,2}\d{3,4}(?![\d,%])(?:\s*(?:x|ext\.?)\s*\d{1,5})?"
    r"|(?<![\w.])\+\d[\d\s().-]{7,18}\d(?!\d)|(?<![\w.])\d{3}-\d{4}(?![\d-])"
)
LINK = re.compile(
    r"(?:https?://|www\.)[^\s|,;]{3,200}|\b(?:linkedin|github|gitlab|twitter|facebook|instagram|behance|xing|stackoverflow)\.(?:com|io|org)\b[^\s|,;]{0,200}"
    r"|\b[\w-]{1,63}\.(?:github|gitlab)\.io\b[^\s|,;]{0,200}",
    re.I,
)
CONTACT_LABEL = re.compile(
    r"^(?:name|full name|e-?mail(?: address)?|phone|telephone|tel|mobile|cell|cell phone|home|home phone|work phone|fax|address|home address|"
    r"mailing address|street|city|zip|linkedin|github|gitlab|website|web|url|portfolio|skype|twitter|contact|contact no|"
    r"date of birth|birth ?date|dob|born|place of birth|nationality|citizenship|gender|pronouns?|sex|marital status|religion|age|ssn|"
    r"passport(?: no| number)?|driver'?s? licen[cs]e (?:no|number))\s*\.?\s*[:#]",
    re.I,
)
STREET = re.compile(
    r"^(?:\d{1,6}[A-Za-z]?\s+(?:[NSEW]\.?\s+)?[A-Z0-9][\w.'-]*(?:\s+[A-Z0-9][\w.'-]*){0,4}\s+"
    r"(?:st|street|ave|avenue|rd|road|blvd|boulevard|dr|drive|ln|lane|ct|court|way|pl|place|pkwy|parkway|cir|circle|ter|terrace|hwy|highway|"
    r"trail|trl|loop|square|sq|close|crescent|row|mews)\b|(?:p\.?\s?o\.?\s+)?box\s+\d+\b|(?:rural\s+)?route\s+\d{1,4}\b|(?:rr|hc)\s+\d{1,4}\b|(?:apt|apartment|unit|suite|ste|flat)\b\.?\s*#?\s*\w{1,6}\b)",
    re.I,
)
STATE_ZIP = re.compile(
    r"\b(?:"
    + "|".join(US_STATES)
    + r")\.?,?\s+\d{5}(?:-\d{4})?\b|\b[A-Z]{1,2}\d[A-Z\d]?\s+\d[A-Z]{2}\b|\b[A-Z]\d[A-Z]\s?\d[A-Z]\d\b"
)
CITY_STATE = re.compile(
    r"\b[A-Z][A-Za-z.'-]+(?:\s+[A-Z][A-Za-z.'-]+){0,3}\s*,\s*(?:"
    + "|".join(US_STATES)
    + r")\b\.?(?:\s*,?\s*(?:USA|US|U\.S\.A?\.?))?(?![a-z])"
)

#: What stands for an employer or a place in résumés whose names were taken out.
PLACEHOLDER = re.compile(
    r"\bcompany\s+name\b|\bname\s+of\s+company\b|\bemployer\s+name\b|\bcity\s*,\s*state\b(?:\s*,\s*(?:usa?|united\s+states|u\.s\.a?\.?))?"
    r"|(?-i:\bCity ,\s*[A-Z][a-z]+(?:\s[A-Z][a-z]+)?\b)|(?-i:\|\s*State\b)",
    re.I,
)

"""Schemas that no route declares: of problems and of dry runs."""

from api.description.headers import Json

PROBLEM: Json = {
    "title": "Problem",
    "type": "object",
    "description": "Why a request failed (RFC 9457); some codes add members of their own.",
    "required": ["type", "title", "status", "detail", "code", "requestId"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "requestId": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

DRY_RUN_ANSWER: Json = {
    "title": "DryRun",
    "type": "object",
    "description": "The events that a command would record; nothing was recorded.",
    "required": ["events"],
    "properties": {
        "events": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "version", "stream", "data"],
                "additionalProperties": False,
                "properties": {
                    "type": {"type": "string"},
                    "version": {"type": "integer", "minimum": 1},
                    "stream": {"$ref": "#/components/schemas/StreamPlace"},
                    "data": {"type": "object", "additionalProperties": True},
                },
            },
        },
        "templateLeftOut": {
            "type": "array",
            "description": "What a new task would not get from its template",
            "items": {"$ref": "#/components/schemas/LeftOutValue"},
        },
        "items": {
            "type": "array",
            "description": "What would become of each thing, of a command on many",
            "items": {
                "type": "object",
                "required": ["outcome"],
                "properties": {
                    "id": {"type": "string"},
                    "outcome": {"enum": ["changed", "unchanged", "refused"]},
                    "code": {"type": "string"},
                },
            },
        },
        "undone": {"type": "integer", "description": "How many changes an undo would take back"},
        "unchanged": {"type": "integer", "description": "How many of them are taken back already"},
        "conflicts": {
            "type": "array",
            "description": "Which of them an undo would leave as they are",
            "items": {"$ref": "#/components/schemas/ConflictView"},
        },
    },
    "additionalProperties": False,
}
